import { fork } from "node:child_process"
import type { Channel } from "../../contract/rpc.ts"

/**
 * A process of our own, as a host sees it: it may be a child of Node or a utility process of Electron. What is sent to one
 * that is ending is lost, and `onExit` tells.
 */
export type ChildPort = Channel & {
  /** Told once, also where the process could not be started. */
  onExit(listener: (code: number | null, signal: string | null) => void): void
  kill(): void
  /** The process's number, where it has one. */
  readonly pid?: number | undefined
}

/** Starts a script as a child process of Node: TypeScript in the sources, a bundle's own file in a build. */
export function forkChild(
  entry: string,
  { env = {}, execArgv = [], quiet = false }: { env?: NodeJS.ProcessEnv; execArgv?: string[]; quiet?: boolean } = {},
): ChildPort {
  const output = quiet ? "ignore" : "inherit"
  const child = fork(entry, [], {
    serialization: "advanced",
    stdio: ["ignore", output, output, "ipc"],
    env: { ...process.env, ...env },
    // By its whole address: a name would be looked for from the folder that one happens to be in.
    execArgv: [...execArgv, ...(entry.endsWith(".ts") ? ["--import", import.meta.resolve("tsx")] : [])],
  })
  const listeners: ((code: number | null, signal: string | null) => void)[] = []
  let ended: [number | null, string | null] | undefined
  const end = (code: number | null, signal: string | null) => {
    if (ended) return
    ended = [code, signal]
    for (const listener of listeners) listener(code, signal)
  }
  child.on("exit", end)
  // It could not be started, or its channel broke.
  child.on("error", () => {
    child.kill("SIGKILL")
    if (child.pid === undefined) end(null, "not started")
  })
  return {
    pid: child.pid,
    send: (message) => {
      if (child.connected) child.send(message as object, () => {})
    },
    onMessage: (listener) => void child.on("message", listener),
    onExit: (listener) => {
      if (ended) listener(...ended)
      else listeners.push(listener)
    },
    kill: () => void child.kill("SIGKILL"),
  }
}
