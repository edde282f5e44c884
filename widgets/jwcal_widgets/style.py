"""The look of the workbench: one style sheet on the colours of the JupyterLab theme."""

from __future__ import annotations

__all__ = ["STYLE"]

STYLE = """<style>
.jwcal {
  --jwcal-accent: var(--jp-brand-color1, #1976d2);
  --jwcal-muted: #5c6166;
  --jwcal-text: var(--jp-ui-font-color1, #222);
  --jwcal-line: var(--jp-border-color2, #ddd);
  --jwcal-face: var(--jp-layout-color1, #fff);
  --jwcal-soft: var(--jp-layout-color2, #f3f3f3);
  --jwcal-done: #1b7440; --jwcal-stale: #8f5200; --jwcal-failed: #b3261e; --jwcal-run: #0f5fb0;
  --bq-axislabel-font: 12px var(--jp-ui-font-family, sans-serif);
  --bq-font: 11px var(--jp-ui-font-family, sans-serif);
  --bq-content-font-color: var(--jwcal-text);
  font-family: var(--jp-ui-font-family, sans-serif); font-size: 13px; color: var(--jwcal-text);
  overflow: visible; width: 100%; container-type: inline-size;
}
[data-jp-theme-light="false"] .jwcal {
  --jwcal-muted: #b4babf;
  --jwcal-done: #6fd394; --jwcal-stale: #f0b454; --jwcal-failed: #ff8f87; --jwcal-run: #7cbcff;
}
.jwcal .bqplot { --bq-axislabel-fill: var(--jwcal-text); --bq-axis-tick-text-fill: var(--jwcal-text); }
.jwcal .widget-html-content { line-height: 1.45; color: var(--jwcal-text); }
.jwcal .jwcal-muted { color: var(--jwcal-muted); }
.jwcal .jupyter-button { font-size: 12px; padding: 0 8px; }
.jwcal .widget-checkbox, .jwcal .widget-checkbox label { display: flex; align-items: center; }
.jwcal .widget-checkbox input { margin: 0 5px 0 0; }
.jwcal :is(button, input, select, textarea, summary, a, .noUi-handle):focus-visible {
  outline: 2px solid var(--jwcal-accent) !important; outline-offset: 1px; }
.jwcal .jupyter-button:disabled { opacity: .5; }
.jwcal .jupyter-button.mod-danger:disabled { background: var(--jwcal-soft); color: var(--jwcal-text); }

.jwcal-body { display: grid !important; gap: 12px; align-items: start; overflow: visible;
  grid-template: "left image upper" auto "left image lower" 1fr / 216px auto minmax(0, 1fr); }
.jwcal-body > * { min-width: 0; }
.jwcal-left { grid-area: left; } .jwcal-image { grid-area: image; }
.jwcal-upper { grid-area: upper; } .jwcal-lower { grid-area: lower; }
@container (min-width: 1600px) {
  .jwcal-body { grid-template: "left image upper lower" auto / 216px auto minmax(0, 1fr) minmax(0, 1fr); }
  .jwcal-lower .jwcal-scroll { max-height: 640px !important; }
}
@container (max-width: 1139px) {
  .jwcal-body { grid-template: "left left image image flags flags" auto
    "upper upper upper lower lower lower" auto
    / 108px 108px minmax(0, 1fr) minmax(0, 1fr) 92px 92px; }
  .jwcal-left { display: contents !important; }
  .jwcal-rail { grid-area: left; } .jwcal-flags { grid-area: flags; width: 196px !important; }
}
@container (max-width: 979px) {
  .jwcal-body { grid-template: "left image image" auto "upper upper lower" auto
    / 216px calc(50% - 234px) minmax(0, 1fr); }
  .jwcal-left { display: flex !important; }
}
@container (max-width: 759px) {
  .jwcal-body { grid-template: "left" auto "image" auto "upper" auto "lower" auto
    / minmax(0, 1fr); }
}
.jwcal-tabs { margin: 0 0 4px !important; width: auto !important; border-bottom: 1px solid var(--jwcal-line); }
.jwcal-tabs .widget-toggle-button.jupyter-button { background: none; border: none; box-shadow: none; margin: 0;
  padding: 0 12px; height: 28px; font-size: 13px; color: var(--jwcal-muted);
  border-bottom: 3px solid transparent; }
.jwcal-tabs .widget-toggle-button.jupyter-button.mod-active { color: var(--jwcal-text); font-weight: 600;
  border-bottom-color: var(--jwcal-accent); }
.jwcal-tabs .widget-toggle-button.jupyter-button:hover { background: var(--jwcal-soft); box-shadow: none; }
.jwcal-tree { width: auto !important; }
.jwcal-tree select { font-family: var(--jp-code-font-family, monospace); font-size: 12px; }
.jwcal-tree select option { white-space: pre; }

.jwcal-head { align-items: center; padding: 2px 0; justify-content: space-between; flex-flow: row wrap; }
.jwcal-head .jupyter-button { flex-shrink: 0; }
.jwcal-counters { margin-left: 14px; } .jwcal-counters b { color: var(--jwcal-run); }
.jwcal-said { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.jwcal-title b { font-size: 14px; }
.jwcal-title span { color: var(--jwcal-muted); margin-left: 10px; }

.jwcal-row { border-radius: 4px; align-items: center; border-left: 3px solid transparent; }
.jwcal-row:hover { background: var(--jwcal-soft); }
.jwcal-row.jwcal-chosen { background: var(--jwcal-soft); border-left-color: var(--jwcal-accent); }
.jwcal-row .jupyter-button { background: none; border: none; box-shadow: none; text-align: left;
  padding: 0 2px 0 6px; outline-offset: -2px; font-size: 13px; color: var(--jwcal-text); }
.jwcal .jwcal-row .jupyter-button:is(:hover, :focus, :active) { box-shadow: none; border: none; }
.jwcal-chosen .jupyter-button { font-weight: 600; letter-spacing: -.35px; }
.jwcal-row.jwcal-off .jupyter-button { color: var(--jwcal-muted); }
.jwcal-state { display: block; text-align: right; font-size: 11px; padding-right: 6px;
  color: var(--jwcal-muted); white-space: nowrap; font-variant-numeric: tabular-nums; }
.jwcal-done, .jwcal-stale, .jwcal-failed, .jwcal-running { font-weight: 600; }
.jwcal-done { color: var(--jwcal-done); } .jwcal-stale { color: var(--jwcal-stale); }
.jwcal-failed { color: var(--jwcal-failed); } .jwcal-running { color: var(--jwcal-run); }

.jwcal-section { font-size: 11px; font-weight: 600; letter-spacing: .05em; text-transform: uppercase;
  color: var(--jwcal-muted); }
.jwcal-panel-title { font-size: 15px; font-weight: 600; }
.jwcal-params { border: 1px solid var(--jwcal-line); border-radius: 4px; }
.jwcal-param { padding: 3px 6px 4px 8px; border-left: 3px solid transparent;
  border-bottom: 1px solid var(--jwcal-line); }
.jwcal-param:last-child { border-bottom: none; }
.jwcal-param.jwcal-changed { border-left-color: var(--jwcal-accent); background: var(--jwcal-soft); }
.jwcal-param-name { font-family: var(--jp-code-font-family, monospace); font-size: 11.5px;
  overflow-wrap: anywhere; line-height: 1.25; letter-spacing: -.1px; }
.jwcal-changed .jwcal-param-name { font-weight: 700; }
.jwcal-unit { font-size: 11.5px; color: var(--jwcal-muted); }
.jwcal-params, .jwcal-param, .jwcal-scroll > * { flex-shrink: 0; overflow: visible; }
.jwcal-help { font-size: 11.5px; line-height: 1.35; color: var(--jwcal-muted); }
.jwcal-error { font-size: 12px; line-height: 1.35; color: var(--jwcal-failed); font-weight: 600; }
.jwcal-source { font-size: 10.5px; color: var(--jwcal-muted); border: 1px solid var(--jwcal-line);
  border-radius: 8px; padding: 0 7px; line-height: 16px; }
.jwcal-source.jwcal-user { color: #fff; background: var(--jwcal-accent); border-color: transparent; }
.jwcal-icon-button.jupyter-button { padding: 0; text-overflow: clip; }
.jwcal-small-button.jupyter-button { padding: 0; background: none; color: var(--jwcal-muted); }
.jwcal-invalid input { border-color: var(--jwcal-failed) !important; }
.jwcal pre.jwcal-code { font-family: var(--jp-code-font-family, monospace); font-size: 12px; margin: 0;
  padding: 5px 8px; background: var(--jwcal-soft); border-radius: 4px; white-space: pre-wrap;
  overflow-wrap: anywhere; user-select: all; cursor: copy; }
.jwcal-busy { opacity: .55; pointer-events: none; }

.jwcal-readout { font-variant-numeric: tabular-nums; line-height: 1.35; }
.jwcal-flag { line-height: 1.2; white-space: nowrap; }
.jwcal-flag .jwcal-muted { float: right; font-size: 11px; font-variant-numeric: tabular-nums; }
.jwcal-flag-name { font-family: var(--jp-code-font-family, monospace); font-size: 11.5px;
  letter-spacing: -.3px; }
.jwcal-chip { display: inline-block; width: 10px; height: 10px; border-radius: 2px;
  margin-right: 5px; vertical-align: -1px; }
.jwcal-legend { line-height: 1.5; font-size: 12px; }
.jwcal-key { margin-right: 12px; white-space: nowrap; }
.jwcal-bar { display: flex; align-items: center; gap: 8px; font-size: 11px;
  font-variant-numeric: tabular-nums; }
.jwcal-bar img { width: 100%; height: 10px; display: block;
  border: 1px solid var(--jwcal-line); box-sizing: border-box; }
.jwcal-hover { font-size: 12px; font-variant-numeric: tabular-nums; line-height: 18px; min-height: 18px; }
.jwcal-preview { font-weight: 600; color: var(--jwcal-text); border: 1.5px dashed #c2189b;
  border-radius: 3px; padding: 0 5px; }
.jwcal-bar-ticks { display: flex; justify-content: space-between; }
.jwcal table.jwcal-table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.jwcal table.jwcal-table td, .jwcal table.jwcal-table th { padding: 1px 14px 1px 0; text-align: left;
  font-weight: 400; white-space: nowrap; }
.jwcal table.jwcal-table th { color: var(--jwcal-muted); }
.jwcal table.jwcal-table td.jwcal-number { text-align: right; }

.jwcal-message { padding: 5px 10px; border-left: 3px solid var(--jwcal-failed); border-radius: 3px;
  background: var(--jwcal-soft); margin: 2px 0; overflow-wrap: anywhere; }
.jwcal-message.jwcal-note { border-left-color: var(--jwcal-accent); }
.jwcal-message pre { font-size: 11px; max-height: 300px; overflow: auto; margin: 4px 0 0; }
.jwcal .jwcal-progress .progress { background: var(--jwcal-soft); height: 4px; }
</style>"""
