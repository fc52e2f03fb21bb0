// The only way to onnxruntime. The first import is evaluated before the second.
import "../files/no-telemetry.ts"

export * from "onnxruntime-node"
