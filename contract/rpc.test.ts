import { describe, expect, it } from "vitest"
import { z } from "zod"
import { channelPair } from "../test/support/channels.ts"
import { CodedError } from "./errors.ts"
import { RpcClient, serveRpc } from "./rpc.ts"

const protocol = {
  methods: {
    double: { params: z.object({ bytes: z.instanceof(Uint8Array) }), result: z.instanceof(Uint8Array) },
    count: { params: z.object({ to: z.int() }), event: z.int(), result: z.enum(["all", "aborted"]) },
    fail: { params: z.object({}), result: z.void() },
  },
  event: z.string(),
} as const

function both(count?: (to: number, emit: (n: number) => void, signal: AbortSignal) => Promise<"all" | "aborted">) {
  const [a, b] = channelPair()
  const told: string[] = []
  const client = new RpcClient(a, protocol, { event: (text) => told.push(text) })
  const tell = serveRpc(
    b,
    protocol,
    {
      double: ({ bytes }) => bytes.map((x) => 2 * x),
      count: ({ to }, { emit, signal }) => count?.(to, emit, signal) ?? "all",
      fail: () => {
        throw new CodedError("gone", "It is gone.", { details: "where" })
      },
    },
    (error) => {
      const { code, message, details } = error as CodedError
      return { code, message, ...(details ? { details } : {}) }
    },
  )
  return { client, tell, told, a, b }
}

describe("calls between processes", () => {
  it("bring bytes as bytes, and events before the result", async () => {
    const { client, tell, told } = both(async (to, emit) => {
      for (let i = 1; i <= to; i++) emit(i)
      return "all"
    })
    expect(await client.call("double", { bytes: Uint8Array.of(1, 2) })).toEqual(Uint8Array.of(2, 4))
    const events: number[] = []
    expect(await client.call("count", { to: 3 }, { onEvent: (n) => events.push(n) })).toBe("all")
    expect(events).toEqual([1, 2, 3])
    tell("without a call")
    await Promise.resolve()
    expect(told).toEqual(["without a call"])
  })
  it("bring an error's code and details", async () => {
    const { client } = both()
    await expect(client.call("fail", {})).rejects.toMatchObject({
      code: "gone",
      message: "It is gone.",
      details: "where",
    })
    await expect(client.call("count", { to: 0.5 })).rejects.toMatchObject({ code: "invalid" })
    await expect(client.call("constructor" as "fail", {})).rejects.toThrow("That was not understood")
    expect(client.pending).toBe(0)
  })
  it("end early when they are aborted, with the answer of the other side", async () => {
    const { client } = both(
      (_, __, signal) => new Promise((resolve) => signal.addEventListener("abort", () => resolve("aborted"))),
    )
    const enough = new AbortController()
    const result = client.call("count", { to: 1 }, { signal: enough.signal })
    enough.abort()
    expect(await result).toBe("aborted")
    expect(await client.call("count", { to: 1 }, { signal: enough.signal })).toBe("aborted")
  })
  it("all fail when the other side is gone, also those that come later", async () => {
    const { client } = both(() => new Promise(() => {}))
    const waiting = client.call("count", { to: 1 })
    client.close(new CodedError("closed", "It ended."))
    await expect(waiting).rejects.toMatchObject({ code: "closed" })
    await expect(client.call("fail", {})).rejects.toMatchObject({ code: "closed" })
  })
  it("are not disturbed by nonsense", async () => {
    const { client, a, b } = both()
    for (const nonsense of [undefined, "x", { type: "call" }, { type: "result", id: 99 }, { type: "abort", id: 7 }]) {
      a.send(nonsense)
      b.send(nonsense)
    }
    expect(await client.call("count", { to: 1 })).toBe("all")
  })
})
