"""CTC's loss and gradient of one row in float64 and logarithms: what `semgjax bench device` holds a device to."""

import numpy as np


def ctc_float64(logits_TxK: np.ndarray, labels_N: np.ndarray) -> tuple[float, np.ndarray]:
    """Negative log likelihood (nats) and its gradient [T, K]; the blank is the last class.

    Graves et al. 2006, equations 6 to 16, over 2 N + 1 states: a blank before, between and after the labels.
    """
    log_p = logits_TxK.astype(np.float64)
    log_p -= np.logaddexp.reduce(log_p, axis=1, keepdims=True)
    blank, states = log_p.shape[1] - 1, 2 * len(labels_N) + 1
    symbols = np.full(states, blank)
    symbols[1::2] = labels_N
    jumps = np.zeros(states, bool)
    jumps[3::2] = labels_N[1:] != labels_N[:-1]
    log_q = log_p[:, symbols]
    jumps_back = np.append(jumps[2:], [False, False])[:states]
    alpha = _forward(log_q, jumps)
    beta = _forward(log_q[::-1, ::-1], jumps_back[::-1])[::-1, ::-1]
    total = np.logaddexp.reduce(alpha[-1, -2:])
    occupancy = np.exp(alpha + beta - log_q - total)
    wanted = np.zeros_like(log_p)
    for state, symbol in enumerate(symbols):
        wanted[:, symbol] += occupancy[:, state]
    return -float(total), np.exp(log_p) - wanted


def _forward(log_q_TxS: np.ndarray, jumps_S: np.ndarray) -> np.ndarray:
    """Log forward variables [T, S]; `jumps`: states that may follow the state two before them."""
    found = np.full(log_q_TxS.shape, -np.inf)
    found[0, :2] = log_q_TxS[0, :2]
    for frame in range(1, len(found)):
        before = found[frame - 1]
        one = np.concatenate([[-np.inf], before[:-1]])
        two = np.concatenate([[-np.inf, -np.inf], before])[: len(before)]
        paths = np.logaddexp(before, one)
        found[frame] = np.where(jumps_S, np.logaddexp(paths, two), paths) + log_q_TxS[frame]
    return found
