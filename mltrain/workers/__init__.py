"""Several processes that train one model together: who they are, and how they talk. No TensorFlow here.

Each has the whole model and all training rows. The first one decides and writes; the others follow its words. In each
step every worker computes the gradients of its own rows of the batch, and all get the sum.
"""
