package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dapr/go-sdk/workflow"
	"github.com/microsoft/durabletask-go/api"
)

const longID = "long-chain"

// runLong starts a chain of three activities, or finds it started by a process before this one, and
// sees it through while the outside stops the server and starts it again.
func (a *app) runLong() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	report("long", a.longChain(ctx))
}

func (a *app) longChain(ctx context.Context) error {
	_, err := a.flow.FetchWorkflowMetadata(ctx, longID)
	if errors.Is(err, api.ErrInstanceNotFound) {
		_, err = a.flow.ScheduleNewWorkflow(ctx, "SlowChain", workflow.WithInstanceID(longID))
	}
	if err != nil {
		return err
	}
	for {
		state, err := a.flow.WaitForWorkflowCompletion(ctx, longID)
		if err == nil {
			return expectOutput(state, `"first,second,third"`)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("waiting for the chain: %w", err)
		}
		// The server may not be back yet: ask again.
		time.Sleep(100 * time.Millisecond)
	}
}
