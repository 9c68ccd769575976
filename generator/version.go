package generator

// Version is the version that generated files name.
const Version = "v0.1.0-dev"
