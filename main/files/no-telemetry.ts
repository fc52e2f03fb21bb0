// onnxruntime reports what it runs to its maker, and keeps a number for this machine in the person's cache folder, unless
// told otherwise before it is loaded. A host imports this too, and its engines inherit it.
process.env.ORT_DISABLE_TELEMETRY = "1"
