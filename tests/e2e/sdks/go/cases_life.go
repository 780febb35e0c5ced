package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dapr/go-sdk/workflow"
	"github.com/microsoft/durabletask-go/api"
)

// lifeCases are about the beginning and the end of an instance.
var lifeCases = []probe{
	{"wait-for-start", waitForStart},
	{"scheduled-start", scheduledStart},
	{"terminate-with-output", terminateWithOutput},
	{"terminate-suspended", terminateSuspended},
	{"terminate-recursive", terminateRecursive},
	{"terminate-parent-only", terminateParentOnly},
	{"purge", purge},
	{"purge-running-refused", purgeRunningRefused},
	{"finished-is-left-alone", finishedIsLeftAlone},
}

func waitForStart(ctx context.Context, a *app) error {
	id, err := a.start(ctx, "Waiting", nil)
	if err != nil {
		return err
	}
	state, err := a.flow.WaitForWorkflowStart(ctx, id)
	if err != nil {
		return err
	}
	if err := expectStatus(state, workflow.StatusRunning); err != nil {
		return err
	}
	if err := a.flow.RaiseEvent(ctx, id, "finish", workflow.WithEventPayload("done")); err != nil {
		return err
	}
	return a.expectEnd(ctx, id, `"done"`)
}

func scheduledStart(ctx context.Context, a *app) error {
	due := time.Now().Add(time.Second)
	id, err := a.start(ctx, "Hello", "later", workflow.WithStartTime(due))
	if err != nil {
		return err
	}
	if err := a.status(ctx, id, workflow.StatusPending); err != nil {
		return err
	}
	if err := a.expectEnd(ctx, id, `"Hello, later!"`); err != nil {
		return err
	}
	if time.Now().Before(due) {
		return errors.New("it ran before its time")
	}
	return nil
}

func terminateWithOutput(ctx context.Context, a *app) error {
	id, err := a.start(ctx, "Waiting", nil)
	if err != nil {
		return err
	}
	return a.terminate(ctx, id)
}

// terminate ends a workflow with an output and checks that it is so.
func (a *app) terminate(ctx context.Context, id string, more ...api.TerminateOptions) error {
	options := append([]api.TerminateOptions{workflow.WithOutput("stopped")}, more...)
	if err := a.flow.TerminateWorkflow(ctx, id, options...); err != nil {
		return err
	}
	state, err := a.finish(ctx, id)
	if err != nil {
		return err
	}
	if err := expectStatus(state, workflow.StatusTerminated); err != nil {
		return err
	}
	return same("output", state.SerializedOutput, `"stopped"`)
}

func terminateSuspended(ctx context.Context, a *app) error {
	id, err := a.start(ctx, "Waiting", nil)
	if err != nil {
		return err
	}
	if err := a.flow.SuspendWorkflow(ctx, id, ""); err != nil {
		return err
	}
	return a.terminate(ctx, id)
}

func (a *app) startFamily(ctx context.Context) (parent, child string, err error) {
	parent, err = a.start(ctx, "ParentOfWaiting", nil)
	if err != nil {
		return "", "", err
	}
	child = parent + "-child"
	return parent, child, a.become(ctx, child, workflow.StatusRunning)
}

func terminateRecursive(ctx context.Context, a *app) error {
	parent, child, err := a.startFamily(ctx)
	if err != nil {
		return err
	}
	if err := a.terminate(ctx, parent); err != nil {
		return err
	}
	return a.become(ctx, child, workflow.StatusTerminated)
}

func terminateParentOnly(ctx context.Context, a *app) error {
	parent, child, err := a.startFamily(ctx)
	if err != nil {
		return err
	}
	if err := a.terminate(ctx, parent, api.WithRecursiveTerminate(false)); err != nil {
		return err
	}
	if err := a.status(ctx, child, workflow.StatusRunning); err != nil {
		return err
	}
	if err := a.flow.RaiseEvent(ctx, child, "finish", workflow.WithEventPayload("alone")); err != nil {
		return err
	}
	return a.expectEnd(ctx, child, `"alone"`)
}

func purge(ctx context.Context, a *app) error {
	id, err := a.start(ctx, "Hello", "gone")
	if err != nil {
		return err
	}
	if _, err := a.finish(ctx, id); err != nil {
		return err
	}
	if err := a.flow.PurgeWorkflow(ctx, id); err != nil {
		return err
	}
	return a.missing(ctx, id)
}

// missing checks that the server knows no such instance.
func (a *app) missing(ctx context.Context, id string) error {
	_, err := a.flow.FetchWorkflowMetadata(ctx, id)
	if !errors.Is(err, api.ErrInstanceNotFound) {
		return fmt.Errorf("%s is not missing: %v", id, err)
	}
	return nil
}

func purgeRunningRefused(ctx context.Context, a *app) error {
	id, err := a.start(ctx, "Waiting", nil)
	if err != nil {
		return err
	}
	err = refused(a.flow.PurgeWorkflow(ctx, id), "orchestration has not yet completed")
	if err != nil {
		return err
	}
	return a.terminate(ctx, id)
}

func finishedIsLeftAlone(ctx context.Context, a *app) error {
	id, err := a.start(ctx, "Hello", "Ada")
	if err != nil {
		return err
	}
	if _, err := a.finish(ctx, id); err != nil {
		return err
	}
	for _, call := range []func() error{
		func() error { return a.flow.RaiseEvent(ctx, id, "late") },
		func() error { return a.flow.SuspendWorkflow(ctx, id, "") },
		func() error { return a.flow.ResumeWorkflow(ctx, id, "") },
		func() error { return a.flow.TerminateWorkflow(ctx, id) },
	} {
		if err := call(); err != nil {
			return err
		}
	}
	return a.expectEnd(ctx, id, `"Hello, Ada!"`)
}
