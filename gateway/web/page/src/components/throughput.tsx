// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { chartOptions, series } from "../chart";
import * as format from "../format";
import type { History } from "../history";
import { t } from "../strings";

interface Rates {
  up: number | null | undefined;
  down: number | null | undefined;
}

/** The wire's throughput over the last ten minutes: up above the line, down below it. */
export function Throughput({ history, now }: { history: History; now: number }) {
  const text = t.chart;
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  // The figures under the pointer; null: the newest ones.
  const [pointed, setPointed] = useState<number | null>(null);

  useEffect(() => {
    const element = box.current!;
    const size = () => ({ width: Math.max(1, element.clientWidth), height: Math.max(1, element.clientHeight) });
    const plot = new uPlot({ ...chartOptions(element, setPointed), ...size() }, [[], [], []], element);
    chart.current = plot;
    const resize = new ResizeObserver(() => plot.setSize(size()));
    resize.observe(element);
    // The colours are read from the style sheet whenever the canvas is drawn.
    const theme = matchMedia("(prefers-color-scheme: dark)");
    const redraw = () => plot.redraw(false, true);
    theme.addEventListener("change", redraw);
    return () => {
      theme.removeEventListener("change", redraw);
      resize.disconnect();
      plot.destroy();
    };
  }, []);

  const points = history.thinned(now);
  useEffect(() => {
    const plot = chart.current;
    if (!plot) return;
    plot.batch(() => {
      plot.setData(series(points, now), false);
      plot.setScale("x", { min: -history.span(now) / 1000, max: 0 });
    });
  }, [history, now]);

  const newest: Rates = points[points.length - 1] ?? { up: null, down: null };
  const shown: Rates = (pointed !== null ? points[pointed] : undefined) ?? newest;
  return (
    <figure class="throughput">
      <figcaption>
        <span>{text.heading}</span>
        <span class="legend">
          <span>
            <span class="key up" />
            {text.up} <strong>{format.rate(shown.up)}</strong>
          </span>
          <span>
            <span class="key down" />
            {text.down} <strong>{format.rate(shown.down)}</strong>
          </span>
        </span>
      </figcaption>
      <div
        ref={box}
        class="chart"
        role="img"
        aria-label={text.label(format.rate(newest.up), format.rate(newest.down))}
      />
    </figure>
  );
}
