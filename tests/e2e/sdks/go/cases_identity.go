package main

import (
	"context"
	"fmt"
	"time"

	dapr "github.com/dapr/go-sdk/client"
	"github.com/dapr/go-sdk/workflow"
	"github.com/microsoft/durabletask-go/api"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// identityCases are about ids, about what is missing, and about the other front door.
var identityCases = []probe{
	{"id-in-use-refused", idInUseRefused},
	{"finished-id-replaced", finishedIDReplaced},
	{"reuse-ignored", reuseIgnored},
	{"reuse-terminates", reuseTerminates},
	{"missing-get", func(ctx context.Context, a *app) error { return a.missing(ctx, newID("nobody")) }},
	{"missing-calls-refused", missingCallsRefused},
	{"without-payloads", withoutPayloads},
	{"dapr-service", daprService},
}

func idInUseRefused(ctx context.Context, a *app) error {
	id, err := a.start(ctx, "Waiting", nil)
	if err != nil {
		return err
	}
	_, err = a.flow.ScheduleNewWorkflow(ctx, "Waiting", workflow.WithInstanceID(id))
	if problem := refused(err, "already exists"); problem != nil {
		return problem
	}
	if err := same("code", status.Code(err), codes.AlreadyExists); err != nil {
		return err
	}
	return a.terminate(ctx, id)
}

func finishedIDReplaced(ctx context.Context, a *app) error {
	id, err := a.start(ctx, "Hello", "first")
	if err != nil {
		return err
	}
	before, err := a.finish(ctx, id)
	if err != nil {
		return err
	}
	again := []option{workflow.WithInstanceID(id), workflow.WithInput("second")}
	if _, err := a.flow.ScheduleNewWorkflow(ctx, "Hello", again...); err != nil {
		return err
	}
	after, err := a.finish(ctx, id)
	if err != nil {
		return err
	}
	if !after.CreatedAt.After(before.CreatedAt) {
		return fmt.Errorf("created at %v, then at %v", before.CreatedAt, after.CreatedAt)
	}
	return expectOutput(after, `"Hello, second!"`)
}

// reuse is the policy of this release for an id that is in use by a running workflow.
func reuse(action api.CreateOrchestrationAction) option {
	return api.WithOrchestrationIdReusePolicy(&api.OrchestrationIdReusePolicy{
		Action:          action,
		OperationStatus: []api.OrchestrationStatus{api.RUNTIME_STATUS_RUNNING},
	})
}

func reuseIgnored(ctx context.Context, a *app) error {
	id, err := a.startRunning(ctx)
	if err != nil {
		return err
	}
	again := []option{workflow.WithInstanceID(id), reuse(api.REUSE_ID_ACTION_IGNORE)}
	if _, err := a.flow.ScheduleNewWorkflow(ctx, "Child", again...); err != nil {
		return err
	}
	// It is still the first one.
	if err := a.flow.RaiseEvent(ctx, id, "finish", workflow.WithEventPayload("first")); err != nil {
		return err
	}
	return a.expectEnd(ctx, id, `"first"`)
}

func reuseTerminates(ctx context.Context, a *app) error {
	id, err := a.startRunning(ctx)
	if err != nil {
		return err
	}
	again := []option{
		workflow.WithInstanceID(id), workflow.WithInput(4), reuse(api.REUSE_ID_ACTION_TERMINATE),
	}
	if _, err := a.flow.ScheduleNewWorkflow(ctx, "Child", again...); err != nil {
		return err
	}
	return a.expectEnd(ctx, id, "8")
}

func (a *app) startRunning(ctx context.Context) (string, error) {
	id, err := a.start(ctx, "Waiting", nil)
	if err != nil {
		return "", err
	}
	return id, a.become(ctx, id, workflow.StatusRunning)
}

func missingCallsRefused(ctx context.Context, a *app) error {
	id := newID("nobody")
	for _, call := range []func() error{
		func() error { return a.flow.RaiseEvent(ctx, id, "any") },
		func() error { return a.flow.SuspendWorkflow(ctx, id, "") },
		func() error { return a.flow.ResumeWorkflow(ctx, id, "") },
		func() error { return a.flow.TerminateWorkflow(ctx, id) },
		func() error { return a.flow.PurgeWorkflow(ctx, id) },
	} {
		if err := refused(call(), "no such instance exists"); err != nil {
			return err
		}
	}
	return nil
}

func withoutPayloads(ctx context.Context, a *app) error {
	id, err := a.start(ctx, "Hello", "Ada")
	if err != nil {
		return err
	}
	bare := workflow.WithFetchPayloads(false)
	state, err := a.flow.WaitForWorkflowCompletion(ctx, id, bare)
	if err != nil {
		return err
	}
	if err := expectStatus(state, workflow.StatusCompleted); err != nil {
		return err
	}
	if err := same("input", state.SerializedInput, ""); err != nil {
		return err
	}
	return same("output", state.SerializedOutput, "")
}

// daprService leads one instance through its life by the methods of the Dapr service.
func daprService(ctx context.Context, a *app) error {
	id := newID("service")
	start := &dapr.StartWorkflowRequest{InstanceID: id, WorkflowName: "WaitForGo", Input: "in"}
	answer, err := a.dapr.StartWorkflowBeta1(ctx, start)
	if err != nil {
		return err
	}
	if err := same("id", answer.InstanceID, id); err != nil {
		return err
	}
	if err := a.dapr.PauseWorkflowBeta1(ctx, &dapr.PauseWorkflowRequest{InstanceID: id}); err != nil {
		return err
	}
	if _, err := a.seen(ctx, id, "SUSPENDED"); err != nil {
		return err
	}
	if err := a.dapr.ResumeWorkflowBeta1(ctx, &dapr.ResumeWorkflowRequest{InstanceID: id}); err != nil {
		return err
	}
	event := &dapr.RaiseEventWorkflowRequest{InstanceID: id, EventName: "go", EventData: "now"}
	if err := a.dapr.RaiseEventWorkflowBeta1(ctx, event); err != nil {
		return err
	}
	state, err := a.seen(ctx, id, "COMPLETED")
	if err != nil {
		return err
	}
	for key, value := range map[string]string{
		"dapr.workflow.input":  `"in"`,
		"dapr.workflow.output": `"now"`,
	} {
		if err := same(key, state.Properties[key], value); err != nil {
			return err
		}
	}
	if err := same("name", state.WorkflowName, "WaitForGo"); err != nil {
		return err
	}
	if err := a.dapr.PurgeWorkflowBeta1(ctx, &dapr.PurgeWorkflowRequest{InstanceID: id}); err != nil {
		return err
	}
	return a.missing(ctx, id)
}

// seen asks the Dapr service until an instance has a status, or the case's time is up.
func (a *app) seen(ctx context.Context, id, want string) (*dapr.GetWorkflowResponse, error) {
	for {
		state, err := a.dapr.GetWorkflowBeta1(ctx, &dapr.GetWorkflowRequest{InstanceID: id})
		if err != nil {
			return nil, err
		}
		if state.RuntimeStatus == want {
			return state, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%s is %s, not %s", id, state.RuntimeStatus, want)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
