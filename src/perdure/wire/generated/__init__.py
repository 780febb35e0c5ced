"""Made from the .proto files by `make generate`; never edited by hand."""
