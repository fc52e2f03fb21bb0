import { useEffect, useRef, useState } from "react"
import type { Sound } from "../../contract/pack.ts"
import type { Content } from "../lib/content.ts"
import { Player, type Playing, webSpeaker } from "./player.ts"

/** Milliseconds between two looks at what is due. */
const TURN = 50

/** A player of `content`, of which `total` bytes will be there while it is being made. */
export function usePlayer(content: Content, sound: Sound, total: number | undefined) {
  const [state, setState] = useState<Playing>({ byte: 0, playing: false, waiting: false })
  const [loop, setLoop] = useState(false)
  const [volume, setVolume] = useState(() => Number(localStorage.getItem("volume") ?? 1))
  const player = useRef<Player>(undefined)
  const live = useRef(total)
  live.current = total
  /** The sound card is asked for only once something is to be heard. */
  const ready = () => {
    player.current ??= new Player(content, sound, webSpeaker(), () =>
      live.current === undefined ? undefined : { total: live.current },
    )
    player.current.loop = loop
    player.current.volume = volume
    return player.current
  }
  useEffect(() => {
    const turn = () => {
      player.current?.turn()
      if (player.current) setState(player.current.state)
    }
    const timer = setInterval(turn, TURN)
    return () => clearInterval(timer)
  }, [])
  // biome-ignore lint/correctness/useExhaustiveDependencies: another content is another sound
  useEffect(
    () => () => {
      player.current?.close()
      player.current = undefined
      setState({ byte: 0, playing: false, waiting: false })
    },
    [content],
  )
  const act = (action: (player: Player) => void) => {
    const mine = ready()
    action(mine)
    setState(mine.state)
  }
  return {
    state,
    loop,
    volume,
    gaps: player.current?.gaps ?? 0,
    toggle: () => act((p) => (p.state.playing ? p.pause() : p.play())),
    seek: (byte: number) => act((p) => p.seek(byte)),
    setLoop: (on: boolean) => {
      setLoop(on)
      if (player.current) player.current.loop = on
    },
    setVolume: (to: number) => {
      setVolume(to)
      localStorage.setItem("volume", String(to))
      if (player.current) player.current.volume = to
    },
  }
}
