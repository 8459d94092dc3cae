"""How it is sealed: keys, sessions and tokens. Pure values in, values out."""
