"""Parts of the accuracy benchmark: each proves one claim against known truth."""
