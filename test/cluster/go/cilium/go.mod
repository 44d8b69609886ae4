module signet.test/cluster/cilium

go 1.26.0

require github.com/cilium/cilium v1.20.2

// As cilium's own go.mod has it.
replace sigs.k8s.io/controller-tools => github.com/cilium/controller-tools v0.21.0-1

// The commit that cilium's go.mod names is not served; this release is the next after it.
replace github.com/osrg/gobgp/v4 => github.com/osrg/gobgp/v4 v4.7.0
