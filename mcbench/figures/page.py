"""A plane to turn and to point at, with plotly."""

from __future__ import annotations

from typing import Any

from mcbench.figures.look import DASHES, STRAIGHT, subject
from mcbench.figures.paths import looks
from mcbench.figures.plane import axis_names, label, mesh, number, quantity, shades
from mcbench.lattice import LEVELS, levels, ranks
from mcbench.surveying import Survey

FINE = 121
"""The surface is drawn on so many points along each side."""


def interactive_plane(survey: Survey) -> Any:
    """Contours and, beside them, the surface that turns; values under the pointer.

    Values of the surface are between the measured ones; the measured points can be shown.
    Heights are as in the still figure: each contour line halves the height above the lowest
    point.
    """
    from plotly.subplots import make_subplots

    across, up = (name.replace("$", "").replace("_", "") for name in axis_names(survey))
    figure = make_subplots(
        1, 2, specs=[[{"type": "xy"}, {"type": "scene"}]], column_widths=[0.5, 0.5],
        horizontal_spacing=0.14,
    )  # fmt: skip
    bar = {
        "tickvals": list(range(LEVELS + 1)),
        "ticktext": [number(value) for value in levels(survey.shown)],
        "title": {"text": quantity(survey), "side": "right"},
        "x": 0.43,
        "len": 0.9,
    }
    steps = shades()
    css = [f"rgb({r * 255:.0f},{g * 255:.0f},{b * 255:.0f})" for r, g, b, _ in steps]
    scale = [[k / LEVELS, css[k - end]] for k in range(LEVELS + 1) for end in (1, 0)][1:-1]
    _surface(figure, survey, scale, bar)
    _lines(figure, survey)
    left, right, bottom, top = survey.window
    figure.update_xaxes(title=across, range=[left, right], constrain="domain")
    figure.update_yaxes(title=up, range=[bottom, top], scaleanchor="x", constrain="domain")
    ratio = (top - bottom) / (right - left)
    figure.update_layout(
        template="simple_white",
        title="<br>".join(filter(None, (subject(survey.problem), survey.title))),
        legend={"orientation": "h", "y": -0.15},
        height=640,
        scene={
            "xaxis": {"title": "x"},
            "yaxis": {"title": "y"},
            "zaxis": {"title": quantity(survey), **{k: bar[k] for k in ("tickvals", "ticktext")}},
            "aspectmode": "manual",
            "aspectratio": {"x": 1.2, "y": 1.2 * ratio, "z": 0.6},
        },
    )
    return figure


def _surface(figure: Any, survey: Survey, scale: list[Any], bar: dict[str, Any]) -> None:
    import numpy as np

    x, y, height = mesh(survey, ranks(survey.shown), FINE)
    accuracy = mesh(survey, survey.accuracy, FINE)[2]
    # Back from ranks: between the lines, the loss of the rank that is drawn there.
    low, high = levels(survey.shown)[[0, -1]]
    shown = low + (high - low) * np.where(height > 0, 2.0 ** (height - LEVELS), 0)
    values = np.stack([shown, accuracy], axis=-1).round(6)
    name = quantity(survey)
    hover = f"x %{{x:.4g}}, y %{{y:.4g}}<br>{name}: %{{customdata[0]:.4g}}"
    if survey.unit and survey.ask.quantity == "loss":
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
        f"x {a:.4g}, y {b:.4g}<br>loss: {loss:.5g}" + (f"<br>accuracy: {acc:.2f}%" if survey.unit else "")
        for (a, b), loss, acc in zip(survey.places, survey.loss, survey.accuracy, strict=True)
    ]  # fmt: skip
    figure.add_scatter(
        x=survey.places[:, 0], y=survey.places[:, 1], mode="markers", name="measured points",
        marker={"size": 3, "color": "black"}, text=texts, hoverinfo="text",
        visible="legendonly", row=1, col=1,
    )  # fmt: skip


def _lines(figure: Any, survey: Survey) -> None:
    """Paths and networks, on the contours and on the surface."""
    import numpy as np
    from scipy.interpolate import LinearNDInterpolator

    left, right, *_ = survey.window
    above = LinearNDInterpolator(survey.places, ranks(survey.shown))
    chosen = looks([trace.method for trace in survey.traces])
    for trace in survey.traces:
        x, y, _ = trace.places.T
        color = chosen[trace.method]["color"]
        color = "#595959" if color == STRAIGHT else color
        group = {
            "legendgroup": trace.method,
            "name": label(trace.method, trace.away, right - left),
        }
        dash = DASHES[chosen[trace.method]["linestyle"]]
        marked = (
            np.isin(trace.places, trace.joints).all(1) if len(trace.joints) else np.zeros(len(x))
        )
        marks = {
            "size": np.where(marked, 9, 0),
            "color": color,
            "line": {"width": 1, "color": "white"},
        }
        figure.add_scatter(
            x=x, y=y, mode="lines+markers", line={"color": color, "width": 3, "dash": dash},
            marker=marks, hovertemplate="x %{x:.4g}, y %{y:.4g}<br>off the plane: %{customdata:.3g}",
            customdata=trace.places[:, 2], row=1, col=1, **group,
        )  # fmt: skip
        figure.add_scatter3d(
            x=x, y=y, z=above(x, y) + 0.1, mode="lines", line={"color": color, "width": 6},
            showlegend=False, hoverinfo="skip", row=1, col=2, **group,
        )  # fmt: skip
    names, places = list(survey.marks), np.array(list(survey.marks.values()))
    look = {"color": "black", "size": 9, "line": {"width": 1, "color": "white"}}
    text: dict[str, Any] = {"text": names, "textposition": "top center", "showlegend": False}
    figure.add_scatter(
        x=places[:, 0], y=places[:, 1], mode="markers+text", marker=look, row=1, col=1, **text,
        hovertemplate="%{text}<br>x %{x:.4g}, y %{y:.4g}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter3d(
        x=places[:, 0], y=places[:, 1], z=above(places) + 0.1, mode="markers+text",
        marker={"color": "black", "size": 4}, hoverinfo="text", row=1, col=2, **text,
    )  # fmt: skip
