"""The loss on a plane as an interactive figure, with plotly."""

from __future__ import annotations

from typing import Any

import numpy as np

from mcbench.figures.paths import line_styles
from mcbench.figures.plane import axis_names, interpolation, label, mesh, number, quantity, shades
from mcbench.figures.style import DASHES, subject
from mcbench.landscape.adaptive_grid import LEVELS, levels, ranks
from mcbench.landscape.scan import Scan

FINE = 121
"""Points along each side that the surface is drawn on."""


def interactive_plane(scan: Scan) -> Any:
    """Contours and, beside them, a surface to rotate, with values under the pointer.

    The surface is interpolated; the measured points can be shown. Heights are those of
    `mcbench.figures.plane.draw_plane`: each contour line halves the height above the lowest point.
    """
    from matplotlib.colors import to_hex
    from plotly.subplots import make_subplots

    across, up = (name.replace("$", "").replace("_", "") for name in axis_names(scan))
    figure = make_subplots(
        1, 2, specs=[[{"type": "xy"}, {"type": "scene"}]], column_widths=[0.5, 0.5],
        horizontal_spacing=0.14,
    )  # fmt: skip
    bar: dict[str, Any] = {
        "tickvals": list(range(LEVELS + 1)),
        "ticktext": [number(value) for value in levels(scan.shown)],
        "title": {"text": quantity(scan), "side": "right"},
        "x": 0.43,
        "len": 0.9,
    }
    # Each colour is constant between two contour lines.
    scale = [
        [(k + end) / LEVELS, to_hex(color)] for k, color in enumerate(shades()) for end in (0, 1)
    ]
    _surface(figure, scan, scale, bar)
    _lines(figure, scan)
    left, right, bottom, top = scan.window
    figure.update_xaxes(title=across, range=[left, right], constrain="domain")
    figure.update_yaxes(title=up, range=[bottom, top], scaleanchor="x", constrain="domain")
    ratio = (top - bottom) / (right - left)
    figure.update_layout(
        template="simple_white",
        title="<br>".join(filter(None, (subject(scan.problem), scan.scene.title))),
        legend={"orientation": "h", "y": -0.15},
        height=640,
        scene={
            "xaxis": {"title": across.partition(",")[0]},
            "yaxis": {"title": up.partition(",")[0]},
            "zaxis": {
                "title": quantity(scan),
                "tickvals": bar["tickvals"][::2],
                "ticktext": bar["ticktext"][::2],
            },
            "camera": {"eye": {"x": 0.3, "y": -1.75, "z": 1.4}},
            "aspectmode": "manual",
            "aspectratio": {"x": 1.2, "y": 1.2 * ratio, "z": 0.6},
        },
    )
    return figure


def _surface(figure: Any, scan: Scan, scale: list[Any], bar: dict[str, Any]) -> None:
    """Add the contours, the surface and the measured points."""
    x, y, shown = mesh(scan, scan.shown, FINE)
    accuracy = mesh(scan, scan.accuracy, FINE)[2]
    height = ranks(shown, levels(scan.shown))
    loss = shown if scan.options.quantity == "loss" else mesh(scan, scan.loss, FINE)[2]
    values = np.stack([loss, accuracy], axis=-1).round(6)
    hover = "x %{x:.4g}, y %{y:.4g}<br>loss: %{customdata[0]:.4g}"
    if scan.unit:
        hover += "<br>accuracy: %{customdata[1]:.2f}%"
    hover += "<extra>between measured points</extra>"
    figure.add_contour(
        x=x, y=y, z=height, customdata=values, hovertemplate=hover, colorscale=scale, zmin=0,
        zmax=LEVELS, colorbar=bar, contours={"start": 1, "end": LEVELS - 1, "size": 1},
        line={"color": "white", "width": 0.6}, row=1, col=1,
    )  # fmt: skip
    figure.add_surface(
        x=x, y=y, z=height, customdata=values, hovertemplate=hover, colorscale=scale, cmin=0,
        cmax=LEVELS, showscale=False, row=1, col=2,
    )  # fmt: skip
    texts = [
        f"x {a:.4g}, y {b:.4g}<br>loss: {loss:.5g}"
        + (f"<br>accuracy: {percent:.2f}%" if scan.unit else "")
        for (a, b), loss, percent in zip(scan.places, scan.loss, scan.accuracy, strict=True)
    ]
    figure.add_scatter(
        x=scan.places[:, 0], y=scan.places[:, 1], mode="markers", name="measured points",
        marker={"size": 3, "color": "black"}, text=texts, hoverinfo="text",
        visible="legendonly", row=1, col=1,
    )  # fmt: skip


def _lines(figure: Any, scan: Scan) -> None:
    """Add paths and networks, on the contours and on the surface."""
    left, right, *_ = scan.window
    surface, scale = interpolation(scan, scan.shown), levels(scan.shown)

    def above(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return ranks(surface(x, y), scale) + 0.1

    styles = line_styles([trace.method for trace in scan.scene.traces])
    for trace in scan.scene.traces:
        x, y, _ = trace.places.T
        color = styles[trace.method]["color"]
        dash = DASHES[styles[trace.method]["linestyle"]]
        name = label(trace.method, trace.away, right - left)
        group = {"legendgroup": trace.method, "name": name}
        figure.add_scatter(
            x=x, y=y, mode="lines", line={"color": color, "width": 3, "dash": dash},
            hovertemplate="x %{x:.4g}, y %{y:.4g}<br>off the plane: %{customdata:.3f}",
            customdata=trace.places[:, 2], row=1, col=1, **group,
        )  # fmt: skip
        if len(trace.joints):
            figure.add_scatter(
                x=trace.joints[:, 0], y=trace.joints[:, 1], mode="markers", showlegend=False,
                marker={"size": 9, "color": color, "line": {"width": 1, "color": "white"}},
                hovertemplate="x %{x:.4g}, y %{y:.4g}", row=1, col=1, **group,
            )  # fmt: skip
        figure.add_scatter3d(
            x=x, y=y, z=above(x, y), mode="lines", line={"color": color, "width": 6},
            showlegend=False, hoverinfo="skip", row=1, col=2, **group,
        )  # fmt: skip
    names, places = list(scan.scene.marks), np.array(list(scan.scene.marks.values()))
    style = {"color": "black", "size": 9, "line": {"width": 1, "color": "white"}}
    text: dict[str, Any] = {"text": names, "textposition": "top center", "showlegend": False}
    figure.add_scatter(
        x=places[:, 0], y=places[:, 1], mode="markers+text", marker=style, row=1, col=1, **text,
        hovertemplate="%{text}<br>x %{x:.4g}, y %{y:.4g}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter3d(
        x=places[:, 0], y=places[:, 1], z=above(*places.T), mode="markers+text",
        marker={"color": "black", "size": 4}, hoverinfo="text", row=1, col=2, **text,
    )  # fmt: skip
