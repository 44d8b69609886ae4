module example.org/mtls

go 1.25.0

require github.com/spiffe/go-spiffe/v2 v2.9.0
