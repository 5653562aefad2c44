"""The files of a data folder, on a disk or in an object store, and its one writer."""
