// Package warehouse stands for a project of a user: another module, with names and headers of its own.
package warehouse
