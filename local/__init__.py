"""The local cloud: the product as deployed, on one machine, with no account."""
