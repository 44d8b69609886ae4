// What two foreign implementations say of a chain: go-spiffe verifies it against a bundle, zlint looks at each certificate.
// And how go-spiffe writes a SPIFFE bundle that it has read, or fetched.
package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"sort"

	"github.com/spiffe/go-spiffe/v2/bundle/spiffebundle"
	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
	"github.com/spiffe/go-spiffe/v2/federation"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
	zx509 "github.com/zmap/zcrypto/x509"
	"github.com/zmap/zlint/v3"
	"github.com/zmap/zlint/v3/lint"
)

// rules are those of the RFCs: a private trust domain has no place in the rules for the public web.
var rules = func() lint.Registry {
	sources := lint.SourceList{lint.RFC3279, lint.RFC5280, lint.RFC5480, lint.RFC5891, lint.RFC8813}
	found, err := lint.GlobalRegistry().Filter(lint.FilterOptions{IncludeSources: sources})
	if err != nil {
		fail(err)
	}
	return found
}()

type verdict struct {
	ID    string   `json:"id"`
	Error string   `json:"error"`
	Lints []string `json:"lints"`
}

// judge DOMAIN BUNDLE CHAIN...: one line of JSON for each chain. judge DOMAIN BUNDLE.json: the SPIFFE bundle, written anew.
// judge fetch DOMAIN BUNDLE.json URL ID: what is fetched by profile https_spiffe from a server that is known by that bundle.
func main() {
	if len(os.Args) == 6 && os.Args[1] == "fetch" {
		fetch(spiffeid.RequireTrustDomainFromString(os.Args[2]), os.Args[3], os.Args[4], os.Args[5])
		return
	}
	if len(os.Args) == 3 {
		rewrite(spiffeid.RequireTrustDomainFromString(os.Args[1]), os.Args[2])
		return
	}
	domain := spiffeid.RequireTrustDomainFromString(os.Args[1])
	bundle, err := x509bundle.Load(domain, os.Args[2])
	if err != nil {
		fail(err)
	}
	for _, path := range os.Args[3:] {
		line, err := json.Marshal(judge(bundle, path))
		if err != nil {
			fail(err)
		}
		fmt.Println(string(line))
	}
}

func fetch(domain spiffeid.TrustDomain, path, url, id string) {
	known, err := spiffebundle.Load(domain, path)
	if err != nil {
		fail(err)
	}
	server := federation.WithSPIFFEAuth(known, spiffeid.RequireFromString(id))
	bundle, err := federation.FetchBundle(context.Background(), domain, url, server)
	if err != nil {
		fail(err)
	}
	show(bundle)
}

func rewrite(domain spiffeid.TrustDomain, path string) {
	bundle, err := spiffebundle.Load(domain, path)
	if err != nil {
		fail(err)
	}
	show(bundle)
}

func show(bundle *spiffebundle.Bundle) {
	text, err := bundle.Marshal()
	if err != nil {
		fail(err)
	}
	fmt.Println(string(text))
}

func judge(bundle *x509bundle.Bundle, path string) verdict {
	chain, lints := read(path)
	id, _, err := x509svid.Verify(chain, bundle)
	if err != nil {
		return verdict{Error: err.Error(), Lints: lints}
	}
	return verdict{ID: id.String(), Lints: lints}
}

// read gives the certificates of a PEM file, and every lint that found an error or a warning, `name certificate`.
func read(path string) ([]*x509.Certificate, []string) {
	text, err := os.ReadFile(path)
	if err != nil {
		fail(err)
	}
	chain, lints := []*x509.Certificate{}, []string{}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			fail(err)
		}
		chain = append(chain, certificate)
		foreign, err := zx509.ParseCertificate(block.Bytes)
		if err != nil {
			fail(err)
		}
		for name, result := range zlint.LintCertificateEx(foreign, rules).Results {
			if result.Status == lint.Error || result.Status == lint.Warn || result.Status == lint.Fatal {
				lints = append(lints, fmt.Sprintf("%s %d", name, len(chain)-1))
			}
		}
	}
	sort.Strings(lints)
	return chain, lints
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
