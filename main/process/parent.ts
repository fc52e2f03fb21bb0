import type { Channel } from "../../contract/rpc.ts"

type ParentPort = { on(event: "message", f: (e: { data: unknown }) => void): void; postMessage(message: unknown): void }

/**
 * The way from a process of our own to whoever started it: Electron's parent port, or Node's channel to the parent. With
 * the parent gone there is nobody to work for, and the process ends.
 */
export function parentChannel(): Channel {
  const { parentPort } = process as unknown as { parentPort?: ParentPort }
  if (parentPort)
    return {
      send: (message) => parentPort.postMessage(message),
      onMessage: (listener) => parentPort.on("message", ({ data }) => listener(data)),
    }
  process.on("disconnect", () => process.exit(0))
  return {
    send: (message) => void process.send?.(message, undefined, undefined, (error) => error && process.exit(0)),
    onMessage: (listener) => void process.on("message", listener),
  }
}
