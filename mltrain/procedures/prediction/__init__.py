"""`predict`: the rows of a file, with what the model says of them."""
