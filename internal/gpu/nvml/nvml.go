// Package nvml reads the GPUs of the node that the process runs on: their
// figures from the driver's library NVML, and who holds them from the kubelet's
// list of pod resources. It makes the same rows as the exporters of package gpu.
//
// NVML is a C library, so it is in builds with cgo only; in others ReadNode says
// so.
package nvml

// KubeletSocket is where a kubelet serves its pod resources unless told
// otherwise. What is mounted into a container is its directory: the kubelet
// makes the socket anew when it restarts.
const KubeletSocket = "/var/lib/kubelet/pod-resources/kubelet.sock"
