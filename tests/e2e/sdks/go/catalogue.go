package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dapr/go-sdk/workflow"
	"github.com/google/uuid"
	"github.com/microsoft/durabletask-go/api"
)

// caseTimeout is how long one case may take; a healthy one needs far less.
const caseTimeout = 20 * time.Second

// probe is one case of the catalogue.
type probe struct {
	name string
	run  func(ctx context.Context, a *app) error
}

// option is what a start takes: an id, a start time.
type option = api.NewOrchestrationOptions

// runCatalogue runs the named cases, or all if none is named.
func (a *app) runCatalogue(names []string) {
	for _, cases := range [][]probe{shapeCases, eventCases, lifeCases, identityCases} {
		for _, each := range cases {
			if len(names) > 0 && !slices.Contains(names, each.name) {
				continue
			}
			ctx, cancel := context.WithTimeout(context.Background(), caseTimeout)
			report(each.name, each.run(ctx, a))
			cancel()
		}
	}
}

// report prints how a case went.
func report(name string, err error) {
	detail := ""
	if err != nil {
		detail = err.Error()
	}
	say(map[string]any{"case": name, "ok": err == nil, "detail": detail})
}

// newID returns an id that names the case it is for.
func newID(prefix string) string {
	return prefix + "-" + uuid.NewString()
}

// start schedules a workflow under a fresh id.
func (a *app) start(ctx context.Context, name string, input any, more ...option) (string, error) {
	options := []option{workflow.WithInstanceID(newID(strings.ToLower(name)))}
	if input != nil {
		options = append(options, workflow.WithInput(input))
	}
	return a.flow.ScheduleNewWorkflow(ctx, name, append(options, more...)...)
}

// finish waits for the end of a workflow.
func (a *app) finish(ctx context.Context, id string) (*workflow.Metadata, error) {
	state, err := a.flow.WaitForWorkflowCompletion(ctx, id, workflow.WithFetchPayloads(true))
	if err != nil {
		return nil, fmt.Errorf("waiting for the end of %s: %w", id, err)
	}
	return state, nil
}

// expect runs a workflow to its end and compares what it returned, as JSON text.
func (a *app) expect(ctx context.Context, name string, input any, output string) error {
	id, err := a.start(ctx, name, input)
	if err != nil {
		return err
	}
	return a.expectEnd(ctx, id, output)
}

func (a *app) expectEnd(ctx context.Context, id string, output string) error {
	state, err := a.finish(ctx, id)
	if err != nil {
		return err
	}
	return expectOutput(state, output)
}

func expectOutput(state *workflow.Metadata, output string) error {
	if err := expectStatus(state, workflow.StatusCompleted); err != nil {
		return err
	}
	return same("output", state.SerializedOutput, output)
}

func expectStatus(state *workflow.Metadata, status workflow.Status) error {
	if state.RuntimeStatus != status {
		return fmt.Errorf("status is %v, not %v (output %q)",
			state.RuntimeStatus, status, state.SerializedOutput)
	}
	return nil
}

// status asks for the status of a workflow and compares it.
func (a *app) status(ctx context.Context, id string, status workflow.Status) error {
	state, err := a.flow.FetchWorkflowMetadata(ctx, id)
	if err != nil {
		return err
	}
	return expectStatus(state, status)
}

// become asks until a workflow has a status, or the case's time is up.
func (a *app) become(ctx context.Context, id string, status workflow.Status) error {
	for {
		err := a.status(ctx, id, status)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", id, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func same[T comparable](what string, got, want T) error {
	if got != want {
		return fmt.Errorf("%s is %v, not %v", what, got, want)
	}
	return nil
}

// refused checks that a call failed, with a text in its error.
func refused(err error, text string) error {
	if err == nil {
		return fmt.Errorf("the call was accepted, not refused with %q", text)
	}
	if !strings.Contains(err.Error(), text) {
		return fmt.Errorf("the error %q does not speak of %q", err.Error(), text)
	}
	return nil
}
