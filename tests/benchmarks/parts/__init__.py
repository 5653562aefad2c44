"""What the benchmark is put together from: inputs, stages, measuring, figures."""
