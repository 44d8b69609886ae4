// Command mtls serves and calls HTTPS by the certificate that Signet delivers.
//
//	mtls serve PORT CALLER           serves the one workload whose SPIFFE ID is CALLER
//	mtls call URL SERVER [SECONDS]   calls URL again and again, and talks to no one but the workload SERVER
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/spiffetls/tlsconfig"
)

func main() {
	if len(os.Args) < 4 {
		log.Fatal("usage: mtls serve PORT CALLER | mtls call URL SERVER [SECONDS]")
	}
	peer := spiffeid.RequireFromString(os.Args[3])
	if os.Args[1] == "serve" {
		log.Fatal(serve(os.Args[2], peer))
	}
	interval := time.Second
	if len(os.Args) > 4 {
		interval, _ = time.ParseDuration(os.Args[4] + "s")
	}
	call(os.Args[2], peer, interval)
}

func serve(port string, caller spiffeid.ID) error {
	own := fromEnvironment()
	config := tlsconfig.MTLSServerConfig(own, own, tlsconfig.AuthorizeID(caller))
	// A resumed session would go by the certificates of the first one.
	config.SessionTicketsDisabled = true
	server := &http.Server{Addr: ":" + port, TLSConfig: config, Handler: http.HandlerFunc(hello)}
	return server.ListenAndServeTLS("", "")
}

func hello(response http.ResponseWriter, request *http.Request) {
	fmt.Fprintf(response, "hello %s\n", request.TLS.PeerCertificates[0].URIs[0])
}

func call(url string, server spiffeid.ID, interval time.Duration) {
	own := fromEnvironment()
	config := tlsconfig.MTLSClientConfig(own, own, tlsconfig.AuthorizeID(server))
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: config}}
	for ; ; time.Sleep(interval) {
		fmt.Println(strings.TrimSpace(answer(client, url)))
	}
}

func answer(client *http.Client, url string) string {
	response, err := client.Get(url)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error()
	}
	return string(body)
}
