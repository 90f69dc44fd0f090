// Package gpu reads the GPUs of a cluster from the exporters that run in it
// (Exporters, Scrape), and gives the pods that hold GPUs their figures
// (Attribute). Package nvml below it reads one node's GPUs without an exporter;
// both make the same rows by the same rule of who holds a shared device.
//
// What is particular to one kind of exporter (its pods' labels, image and port,
// the names and units of its metrics) is declared in a file of its own, such as
// dcgm.go, which exporterKinds lists. exposition.go makes rows of any kind's
// metrics by that declaration. The package does not look for nodes and pods, and
// does not decide which source a cluster is read from.
package gpu
