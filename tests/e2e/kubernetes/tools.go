//go:build tools

// Package kubernetes names the program that is built here, so that its modules are kept in go.mod.
package kubernetes

import _ "k8s.io/kubernetes/cmd/kube-apiserver"
