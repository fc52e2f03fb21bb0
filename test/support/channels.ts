import type { Channel } from "../../contract/rpc.ts"

/** Two ends of one channel inside this process: what one sends the other gets soon after, as a structured clone. */
export function channelPair(): [Channel, Channel] {
  const end = () => ({ listeners: [] as ((message: unknown) => void)[] })
  const [a, b] = [end(), end()]
  const channel = (own: typeof a, other: typeof a): Channel => ({
    send(message) {
      const copy = structuredClone(message)
      queueMicrotask(() => {
        for (const listener of other.listeners) listener(copy)
      })
    },
    onMessage: (listener) => void own.listeners.push(listener),
  })
  return [channel(a, b), channel(b, a)]
}
