//go:build tools

// Package tools pins np-guard's analyzer, which the bench reach-foreign is measured against.
package tools

import _ "github.com/np-guard/netpol-analyzer/cmd/netpolicy"
