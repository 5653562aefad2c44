"""ArXiv's two services as the test server answers them."""
