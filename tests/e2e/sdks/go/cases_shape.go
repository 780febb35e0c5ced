package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	dapr "github.com/dapr/go-sdk/client"
	"github.com/dapr/go-sdk/workflow"
)

// shapeCases are the shapes that workflow code can have.
var shapeCases = []probe{
	{"hello", hello},
	{"chain3", func(ctx context.Context, a *app) error { return a.expect(ctx, "Chain", 1, "4") }},
	{"fanout10", func(ctx context.Context, a *app) error { return a.expect(ctx, "FanOut", 10, "385") }},
	{"timer", timer},
	{"child-result", func(ctx context.Context, a *app) error { return a.expect(ctx, "Parent", nil, "42") }},
	{"child-many", childMany},
	{"child-failure-caught", childFailureCaught},
	{"activity-retry", activityRetry},
	{"workflow-failure", workflowFailure},
	{"unregistered-activity", unregisteredActivity},
	{"unregistered-workflow", unregisteredWorkflow},
	{"unicode", func(ctx context.Context, a *app) error {
		return a.expect(ctx, "Echo", "naïve ☃ 漢字 😀", `"naïve ☃ 漢字 😀"`)
	}},
	{"large-payload", func(ctx context.Context, a *app) error {
		large := strings.Repeat("x", 1<<20)
		return a.expect(ctx, "Echo", large, `"`+large+`"`)
	}},
	{"many-50", many},
}

func hello(ctx context.Context, a *app) error {
	id, err := a.start(ctx, "Hello", "Ada")
	if err != nil {
		return err
	}
	state, err := a.finish(ctx, id)
	if err != nil {
		return err
	}
	if err := expectOutput(state, `"Hello, Ada!"`); err != nil {
		return err
	}
	if err := same("id", state.InstanceID, id); err != nil {
		return err
	}
	if err := same("name", state.Name, "Hello"); err != nil {
		return err
	}
	if err := same("input", state.SerializedInput, `"Ada"`); err != nil {
		return err
	}
	if state.LastUpdatedAt.Before(state.CreatedAt) || time.Since(state.CreatedAt) > time.Minute {
		return fmt.Errorf("created at %v, updated at %v", state.CreatedAt, state.LastUpdatedAt)
	}
	return nil
}

func timer(ctx context.Context, a *app) error {
	began := time.Now()
	if err := a.expect(ctx, "Nap", 400, `"slept"`); err != nil {
		return err
	}
	if took := time.Since(began); took < 400*time.Millisecond || took > 5*time.Second {
		return fmt.Errorf("a nap of 400 ms took %v", took)
	}
	return nil
}

func childMany(ctx context.Context, a *app) error {
	id, err := a.start(ctx, "ParentOfMany", nil)
	if err != nil {
		return err
	}
	if err := a.expectEnd(ctx, id, "[0,2,4,6,8]"); err != nil {
		return err
	}
	for i := range 5 {
		if err := a.status(ctx, fmt.Sprintf("%s-%d", id, i), workflow.StatusCompleted); err != nil {
			return err
		}
	}
	return nil
}

func childFailureCaught(ctx context.Context, a *app) error {
	return a.expect(ctx, "CatchingParent", nil,
		`"caught: task failed with an error: child went wrong"`)
}

func activityRetry(ctx context.Context, a *app) error {
	id, err := a.start(ctx, "Stubborn", nil)
	if err != nil {
		return err
	}
	if err := a.expectEnd(ctx, id, `"third time lucky"`); err != nil {
		return err
	}
	return same("number of attempts", countAttempt(id)-1, 3)
}

func workflowFailure(ctx context.Context, a *app) error {
	id, err := a.start(ctx, "Failing", nil)
	if err != nil {
		return err
	}
	failure, err := a.failure(ctx, id)
	if err != nil {
		return err
	}
	if err := same("error message", failure.message, "order 7 is not payable"); err != nil {
		return err
	}
	return same("error type", failure.kind, "*errors.errorString")
}

func unregisteredActivity(ctx context.Context, a *app) error {
	id, err := a.start(ctx, "CallsUnknown", nil)
	if err != nil {
		return err
	}
	failure, err := a.failure(ctx, id)
	if err != nil {
		return err
	}
	return same("error message", failure.message,
		"task failed with an error: no task activity named 'NoSuchActivity' was registered")
}

func unregisteredWorkflow(ctx context.Context, a *app) error {
	id, err := a.start(ctx, "NoSuchWorkflow", nil)
	if err != nil {
		return err
	}
	failure, err := a.failure(ctx, id)
	if err != nil {
		return err
	}
	return same("error message", failure.message,
		"orchestrator named 'NoSuchWorkflow' is not registered")
}

func many(ctx context.Context, a *app) error {
	ids := make([]string, 50)
	ends := make(chan error, len(ids))
	for i := range ids {
		go func() {
			name := fmt.Sprintf("person %d", i)
			ends <- a.expect(ctx, "Hello", name, fmt.Sprintf(`"Hello, %s!"`, name))
		}()
	}
	for range ids {
		if err := <-ends; err != nil {
			return err
		}
	}
	return nil
}

type failure struct{ kind, message string }

// failure waits for a workflow to fail and reads why. This release of the workflow client leaves
// failure details out; the client of the Dapr service has them.
func (a *app) failure(ctx context.Context, id string) (failure, error) {
	state, err := a.finish(ctx, id)
	if err != nil {
		return failure{}, err
	}
	if err := expectStatus(state, workflow.StatusFailed); err != nil {
		return failure{}, err
	}
	seen, err := a.dapr.GetWorkflowBeta1(ctx, &dapr.GetWorkflowRequest{InstanceID: id})
	if err != nil {
		return failure{}, err
	}
	return failure{
		kind:    seen.Properties["dapr.workflow.failure.error_type"],
		message: seen.Properties["dapr.workflow.failure.error_message"],
	}, nil
}
