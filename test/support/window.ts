import type { Params, Result } from "../../contract/rpc.ts"
import { RpcClient } from "../../contract/rpc.ts"
import { type AppEvent, type Method, type WindowProtocol, windowProtocol } from "../../contract/window.ts"
import type { Studio } from "../../main/host/studio.ts"
import { channelPair } from "./channels.ts"

/** A window of the app's without a screen: how it asks, and all that it is told. */
export function openWindow(studio: Studio, told: (event: AppEvent) => void = () => {}) {
  const [own, hosts] = channelPair()
  const events: AppEvent[] = []
  const rpc = new RpcClient(own, windowProtocol, {
    event: (event) => {
      events.push(event)
      told(event)
    },
  })
  const { send, disconnect } = studio.connect(hosts)
  const call = <N extends Method>(name: N, params: Params<WindowProtocol, N>): Promise<Result<WindowProtocol, N>> =>
    rpc.call(name, params)
  /** The events of one type, in their order. */
  const of = <T extends AppEvent["type"]>(type: T) =>
    events.filter((event): event is Extract<AppEvent, { type: T }> => event.type === type)
  return { call, events, of, channel: own, send, disconnect }
}
