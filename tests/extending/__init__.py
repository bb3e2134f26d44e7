"""Each new thing, made as CONTRIBUTING's table says: how many files it touches, and that it trains."""
