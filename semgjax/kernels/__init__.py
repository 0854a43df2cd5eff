"""Forms of attention, convolutions and norms for a device, each equal to the definition in semgjax.model.encoder."""
