//go:build tools

// Package tools names the one command of an older Kubernetes that a test needs, so that `go mod tidy` keeps its checksums.
package tools

import _ "k8s.io/kubernetes/cmd/kube-apiserver"
