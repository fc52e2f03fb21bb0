import { useEffect, useMemo, useRef, useState } from "react"
import { type Sound, sampleBytes, secondBytes } from "../../contract/pack.ts"
import { sampleAt } from "../../contract/samples.ts"
import { surpriseColor } from "../lib/color.ts"
import { Content } from "../lib/content.ts"
import { useSize } from "../lib/useSize.ts"
import { useThemeCount } from "../lib/useTheme.ts"
import { Icon } from "../ui/Icon.tsx"
import { NotesView } from "./NotesView.tsx"
import { Player, type Playing, webSpeaker } from "./player.ts"
import { isPlayed, rollOf } from "./roll.ts"
import { SpectrumView } from "./SpectrumView.tsx"

const seconds = (bytes: number, sound: Sound) => `${(bytes / secondBytes(sound)).toFixed(1)} s`

/**
 * A waveform that grows as it is made: the highest and lowest sample of each column of pixels; with `heat` a column is
 * colored by its bits per byte. A click chooses the time to play from, or to go on from.
 */
function Wave(props: {
  content: Content
  version: number
  sound: Sound
  /** Bytes that were given, or are to be kept: drawn softly, with a mark at their end. */
  given: number
  heat: boolean
  /** Bits per byte that the pack is used to. */
  usual: number
  /** Byte that is being heard. */
  heard: number | undefined
  label: string
  onPick: (byte: number) => void
}) {
  const { content, version, sound, given, heat, usual, heard, label, onPick } = props
  const element = useRef<HTMLCanvasElement>(null)
  const size = useSize(element)
  const theme = useThemeCount()

  // biome-ignore lint/correctness/useExhaustiveDependencies: version and theme stand for what else is drawn
  useEffect(() => {
    const el = element.current
    const g = el?.getContext("2d")
    const { width, height } = size
    if (!el || !g || !width || !content.length) return
    el.width = width * devicePixelRatio
    el.height = height * devicePixelRatio
    g.scale(devicePixelRatio, devicePixelRatio)
    const style = getComputedStyle(el)
    const [ink, soft, accent] = ["--ink", "--soft", "--accent"].map((name) => style.getPropertyValue(name))
    const step = sampleBytes(sound)
    const total = Math.floor(content.length / step)
    for (let x = 0; x < width; x++) {
      const from = Math.floor((x * total) / width)
      const to = Math.max(from + 1, Math.floor(((x + 1) * total) / width))
      // A column looks at 200 samples at most, evenly spread: enough for the eye, and a long sound stays quick.
      const stride = Math.max(1, Math.floor((to - from) / 200))
      let [low, high] = [1, -1]
      for (let i = from; i < to; i += stride) {
        const y = sampleAt(content.bytes, i, sound)
        low = Math.min(low, y)
        high = Math.max(high, y)
      }
      const bits = heat ? content.meanBits(from * step, to * step) : undefined
      if (bits !== undefined) {
        g.fillStyle = surpriseColor(bits, usual)
        g.fillRect(x, 0, 1, height)
      }
      g.fillStyle = (from * step < given ? soft : accent) ?? ""
      g.fillRect(x, (height * (1 - high)) / 2, 1, Math.max(1, (height * (high - low)) / 2))
    }
    g.fillStyle = ink ?? ""
    if (given > 0 && given < content.length) g.fillRect((width * given) / content.length - 1, 0, 2, height)
    if (heard !== undefined) g.fillRect((width * heard) / content.length, 0, 1.5, height)
  }, [version, size, content, sound, given, heat, usual, heard, theme])

  return (
    <canvas
      className="wave"
      ref={element}
      role="img"
      aria-label={label}
      onClick={(e) => onPick(Math.floor((e.nativeEvent.offsetX / Math.max(1, size.width)) * content.length))}
    />
  )
}

const looks = { wave: "Wave", spectrum: "Spectrum", notes: "Notes" } as const
type Look = keyof typeof looks
const isLook = (name: string | null): name is Look => name !== null && name in looks

/** Notes of the first two seconds, which tell a tune from a recording. */
const beginningOf = (bytes: Uint8Array, sound: Sound) => rollOf(bytes.subarray(0, 2 * secondBytes(sound)), sound)

/** A sound as a wave, its spectrum or its notes; it can be heard while it is still being made. */
export function SoundView(props: {
  content: Content
  version: number
  sound: Sound
  given: number
  heat: boolean
  usual: number
  /** Bytes that it will have, while it is being made. */
  total: number | undefined
  label: string
}) {
  const { content, version, sound, given, heat, usual, total, label } = props
  const player = usePlayer(content, sound, total)
  const [chosen, setChosen] = useState(() => localStorage.getItem("look"))
  // A tune is seen best by its notes, anything else by its wave.
  // biome-ignore lint/correctness/useExhaustiveDependencies: version stands for the content's growth
  const isTune = useMemo(() => isPlayed(beginningOf(content.bytes, sound)), [content, version, sound])
  const look = isLook(chosen) ? chosen : isTune ? "notes" : "wave"
  const choose = (name: Look) => {
    localStorage.setItem("look", name)
    setChosen(name)
  }
  const heard = player.state.byte || player.state.playing ? player.state.byte : undefined
  const view = { content, version, sound, heard, label, onPick: player.seek }
  return (
    <div className="sound">
      {look === "wave" && <Wave {...props} {...view} />}
      {look === "spectrum" && <SpectrumView {...view} />}
      {look === "notes" && <NotesView {...view} {...{ given, heat, usual }} />}
      <div className="actions">
        <Transport player={player} content={content} sound={sound} total={total} />
        <div className="looks" role="radiogroup" aria-label="What is shown of the sound">
          {(Object.keys(looks) as Look[]).map((name) => (
            <label key={name}>
              <input type="radio" name="look" checked={look === name} onChange={() => choose(name)} />
              {looks[name]}
            </label>
          ))}
        </div>
      </div>
    </div>
  )
}

/** Play and pause, the time, loop and volume. */
function Transport(props: {
  player: ReturnType<typeof usePlayer>
  content: Content
  sound: Sound
  total: number | undefined
}) {
  const { player, content, sound, total } = props
  const { playing, waiting, byte } = player.state
  return (
    <>
      <button
        type="button"
        data-play
        data-gaps={player.gaps}
        disabled={!content.length && total === undefined}
        onClick={player.toggle}
      >
        <Icon name={playing ? "pause" : "play"} filled={!playing} /> {playing ? "Pause" : "Play"}
      </button>
      <span className="count" role={waiting ? "status" : undefined}>
        {waiting && total !== undefined ? "Plays as soon as it will not stop · " : ""}
        {byte || playing ? `${seconds(byte, sound)} of ` : ""}
        {seconds(content.length, sound)}
      </span>
      <button
        type="button"
        className="icon-button"
        aria-label="Repeat"
        title="Repeat"
        aria-pressed={player.loop}
        onClick={() => player.setLoop(!player.loop)}
      >
        <Icon name="loop" />
      </button>
      <label className="volume">
        <Icon name="volume" />
        <input
          type="range"
          aria-label="Volume"
          min={0}
          max={1}
          step={0.05}
          value={player.volume}
          onChange={(e) => player.setVolume(Number(e.target.value))}
        />
      </label>
    </>
  )
}

/** A sound to go on from: a click, or the slider, chooses the time from which it is made anew. */
export function SoundPrompt(props: { bytes: Uint8Array; sound: Sound; kept: number; onKept: (bytes: number) => void }) {
  const { bytes, sound, kept, onKept } = props
  const content = useMemo(() => {
    const whole = new Content(false)
    whole.append(bytes, new Float32Array(bytes.length).fill(-1))
    return whole
  }, [bytes])
  const player = usePlayer(content, sound, undefined)
  const { byte, playing } = player.state
  const step = sampleBytes(sound)
  return (
    <div className="sound">
      <Wave
        content={content}
        version={kept}
        sound={sound}
        given={kept}
        heat={false}
        usual={1}
        heard={byte || playing ? byte : undefined}
        label="The sound to go on from"
        onPick={(byte) => onKept(byte - (byte % step))}
      />
      <label className="field keep-rows">
        <span>
          Keep the first{" "}
          <output>
            {seconds(kept, sound)} of {seconds(bytes.length, sound)}
          </output>
        </span>
        <input
          type="range"
          aria-label="Time to keep"
          min={0}
          max={bytes.length}
          step={Math.max(step, Math.floor(sound.rate / 10) * step)}
          value={kept}
          onChange={(e) => onKept(Number(e.target.value))}
        />
      </label>
      <div className="actions">
        <Transport player={player} content={content} sound={sound} total={undefined} />
      </div>
    </div>
  )
}

/** Milliseconds between two looks at what is due. */
const TURN = 50

/** A player of `content`, of which `total` bytes will be there while it is being made. */
function usePlayer(content: Content, sound: Sound, total: number | undefined) {
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
