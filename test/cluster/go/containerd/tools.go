//go:build tools

// Package tools names the commands of containerd that a node of a test cluster needs,
// so that `go mod tidy` keeps the checksums of all of them in go.sum.
package tools

import (
	_ "github.com/containerd/containerd/v2/cmd/containerd"
	_ "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2"
	_ "github.com/containerd/containerd/v2/cmd/ctr"
)
