// Package ext stands for one that Traefik's go.mod replaces by a folder of its own repository, which no module proxy serves.
package ext

type HTTP struct{}

type Router struct{}
