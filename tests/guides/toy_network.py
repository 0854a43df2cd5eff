"""A network from outside the package: log power of each electrode, a window of frames, one linear layer."""

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp

from semgjax.model.kind import Network, register_network


@register_network
@dataclass(frozen=True)
class PowerNetwork(Network):
    NETWORK: ClassVar[str] = "power"
    STREAMS: ClassVar[bool] = True

    channels: int = 32
    classes: int = 99
    frame: int = 40  # samples
    context: int = 5  # frames that a logit sees, all in the past
    emission_delay: int = 200  # samples

    @property
    def stride(self):
        return self.frame

    @property
    def look_ahead(self):
        return 0

    def init(self, key):
        inputs = self.context * self.channels
        return {
            "kernel": jax.random.normal(key, (inputs, self.classes)) * inputs**-0.5,
            "bias": jnp.zeros(self.classes),
        }

    def apply(self, params, emg_BxTxC, valid_BxT, train_key, remat, rows_B, ops):
        batch, time, channels = emg_BxTxC.shape
        x = emg_BxTxC * valid_BxT[..., None].astype(emg_BxTxC.dtype)
        x = x.reshape(batch, time // self.frame, self.frame, channels)
        x = jnp.log(jnp.square(x).mean(axis=2) + 1.0)
        x = ops.history(x, self.context - 1)  # zeros, or in a stream the frames before
        frames = time // self.frame
        x = jnp.concatenate([x[:, i : i + frames] for i in range(self.context)], axis=-1)
        return (x @ params["kernel"].astype(x.dtype)).astype(jnp.float32) + params["bias"]

    def flops(self, samples):
        return 2.0 * (samples // self.frame) * self.context * self.channels * self.classes
