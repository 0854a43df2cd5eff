"""The files of each format of an export."""
