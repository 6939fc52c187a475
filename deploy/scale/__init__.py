"""Several Tritons on one machine behind a real Envoy: `make serve-scale`, see docs/scale.md."""
