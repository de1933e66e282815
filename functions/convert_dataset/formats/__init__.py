"""The formats of labelled files, one a module; `registry` lists them."""
