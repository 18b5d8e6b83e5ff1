"""One prompt to one model: from the arguments of `ask` to a priced answer."""
