// Program wfapp is a worker and a client of the Dapr Workflow API in one process, written with the
// released Go SDK alone. It runs a catalogue of cases against the server that DAPR_GRPC_ENDPOINT or
// DAPR_GRPC_PORT names, prints one line of JSON for each, and ends with {"done":true}.
//
//	wfapp catalogue [CASE ...]    all cases, or those that are named
//	wfapp long                    one workflow that the outside lets go on
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"

	dapr "github.com/dapr/go-sdk/client"
	"github.com/dapr/go-sdk/workflow"
)

// app is what a case needs: the workflow client, and the client of the Dapr service beside it.
type app struct {
	flow *workflow.Client
	dapr dapr.Client
}

var printing sync.Mutex

// say prints one line of JSON; activities and cases share the output.
func say(line any) {
	text, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	printing.Lock()
	defer printing.Unlock()
	fmt.Println(string(text))
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: wfapp catalogue [CASE ...] | wfapp long")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	say(map[string]any{"done": true})
}

func run(mode string, cases []string) error {
	worker, err := startWorker()
	if err != nil {
		return err
	}
	client, err := dapr.NewClient()
	if err != nil {
		return fmt.Errorf("connecting the client: %w", err)
	}
	flow, err := workflow.NewClient(workflow.WithDaprClient(client))
	if err != nil {
		return fmt.Errorf("making the workflow client: %w", err)
	}
	here := &app{flow: flow, dapr: client}
	switch mode {
	case "catalogue":
		here.runCatalogue(cases)
	case "long":
		here.runLong()
	default:
		return fmt.Errorf("unknown mode %q: catalogue or long", mode)
	}
	return worker.Shutdown()
}

func startWorker() (*workflow.WorkflowWorker, error) {
	worker, err := workflow.NewWorker()
	if err != nil {
		return nil, fmt.Errorf("connecting the worker: %w", err)
	}
	for _, each := range workflows {
		if err := worker.RegisterWorkflow(each); err != nil {
			return nil, err
		}
	}
	for _, each := range activities {
		if err := worker.RegisterActivity(each); err != nil {
			return nil, err
		}
	}
	if err := worker.Start(); err != nil {
		return nil, fmt.Errorf("starting the worker: %w", err)
	}
	return worker, nil
}
