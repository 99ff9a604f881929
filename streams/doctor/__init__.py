"""What is well with a deployment, and what is not: `fairway doctor`."""
