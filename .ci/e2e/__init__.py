"""The end-to-end check: the tool, the embedded cloud and the application as real processes, asked from outside."""
