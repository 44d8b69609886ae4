// What grpc-go makes of Signet's certificate service, by the stubs that Istio's own agents are built with.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	security "istio.io/api/security/v1alpha1"
)

type answer struct {
	Code    string   `json:"code"`
	Message string   `json:"message"`
	Reasons []string `json:"reasons"`
	Chain   []string `json:"chain"`
}

// create ADDRESS AUTHORITY TOKEN CSR: asks for a certificate and prints what came of it as one line of JSON. The last three are files.
func main() {
	transport, err := credentials.NewClientTLSFromFile(os.Args[2], "")
	if err != nil {
		fail(err)
	}
	connection, err := grpc.NewClient(os.Args[1], grpc.WithTransportCredentials(transport))
	if err != nil {
		fail(err)
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+read(os.Args[3]))
	request := &security.IstioCertificateRequest{Csr: read(os.Args[4]), ValidityDuration: 3600}
	response, err := security.NewIstioCertificateServiceClient(connection).CreateCertificate(ctx, request)
	line, err := json.Marshal(told(response, err))
	if err != nil {
		fail(err)
	}
	fmt.Println(string(line))
}

func told(response *security.IstioCertificateResponse, err error) answer {
	said := status.Convert(err)
	found := answer{Code: said.Code().String(), Message: said.Message(), Reasons: []string{}, Chain: response.GetCertChain()}
	for _, detail := range said.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			found.Reasons = append(found.Reasons, info.GetReason())
		}
	}
	return found
}

func read(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		fail(err)
	}
	return string(text)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
