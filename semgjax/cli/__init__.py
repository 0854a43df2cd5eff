"""The command `semgjax`: words in, one call of the API, text out."""
