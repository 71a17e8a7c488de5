//! One SVG chart: lines, bands and levels over an axis of games.
//!
//! The background is white and everything is drawn in colours that stand out on it and from each
//! other for colour-blind eyes too, so that a chart reads the same in a light and in a dark page.
//! What is drawn is decided in `plots`; how it looks is decided here.

use plotters::coord::Shift;
use plotters::coord::ranged1d::{Ranged, ValueFormatter};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::number::{signed, thousands};

/// Colours by Okabe and Ito, without the yellow, which white swallows.
pub const BLUE: RGBColor = RGBColor(0, 114, 178);
pub const ORANGE: RGBColor = RGBColor(213, 94, 0);
pub const GREEN: RGBColor = RGBColor(0, 128, 96);
pub const PURPLE: RGBColor = RGBColor(160, 80, 140);
pub const GREY: RGBColor = RGBColor(110, 110, 110);
/// For as many lines as are told apart by colour, the strongest first.
pub const COLORS: [RGBColor; 7] = [
    BLUE,
    ORANGE,
    GREEN,
    PURPLE,
    RGBColor(60, 60, 60),
    RGBColor(86, 180, 233),
    RGBColor(196, 140, 0),
];

const SIZE: (u32, u32) = (860, 500);
/// Height of title and legend, and width left of the plotting area, in pixels.
const HEAD: u32 = 66;
const LEFT: u32 = 86;
const INK: RGBColor = RGBColor(40, 40, 40);

/// One line of a chart.
pub struct Series {
    /// What it is, for the legend.
    pub label: String,
    pub color: RGBColor,
    /// Points, left to right.
    pub points: Vec<(f64, f64)>,
    /// An interval round the points: (x, low, high); empty for none.
    pub band: Vec<(f64, f64, f64)>,
    /// Thin for what is noisy, thick for what is meant.
    pub thick: bool,
}

/// A level drawn across the whole chart, with its name on it.
pub struct Level {
    pub label: String,
    pub color: RGBColor,
    pub value: f64,
}

/// A whole chart.
pub struct Chart {
    pub title: String,
    pub x_label: String,
    /// With its unit.
    pub y_label: String,
    pub series: Vec<Series>,
    pub levels: Vec<Level>,
    /// Whether the axis of x is logarithmic. What stands at 0 is then left out.
    pub log_x: bool,
}

impl Chart {
    /// The chart as the text of an SVG file, or `None` where it would be empty.
    pub fn svg(&self) -> Option<String> {
        let (x, y) = self.ranges()?;
        let mut text = String::new();
        {
            let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
            // Writing into a string cannot fail.
            self.draw(&area, x, y).expect("a chart can be written into memory");
        }
        Some(text)
    }

    fn ranges(&self) -> Option<((f64, f64), (f64, f64))> {
        let points = || self.series.iter().flat_map(Series::finite).filter(|p| self.has_place(p.0));
        points().next()?;
        let bands = self.series.iter().flat_map(|s| &s.band).flat_map(|b| [b.1, b.2]);
        let levels = self.levels.iter().map(|level| level.value);
        // Games and steps are counted from nothing.
        let from = if self.log_x { None } else { Some(0.0) };
        let (x_min, x_max) = extent(points().map(|p| p.0).chain(from))?;
        let (low, high) = extent(points().map(|p| p.1).chain(bands).chain(levels))?;
        // A flat line gets some height; the highest level gets room for its name above it.
        let height = if high > low { high - low } else { low.abs().max(1.0) };
        let y = (low - 0.06 * height, high + 0.09 * height);
        Some(((x_min, x_max.max(1.0)), y))
    }

    /// Whether the axis of x has a place for this value.
    fn has_place(&self, x: f64) -> bool {
        !self.log_x || x > 0.0
    }

    fn draw(&self, area: &Area<'_>, x: (f64, f64), y: (f64, f64)) -> Result<(), Failed> {
        area.fill(&WHITE)?;
        let (head, body) = area.split_vertically(HEAD);
        self.draw_head(&head)?;
        let mut builder = ChartBuilder::on(&body);
        builder.margin(14).margin_right(24).x_label_area_size(48).y_label_area_size(LEFT - 14);
        match self.log_x {
            false => self.draw_on(builder.build_cartesian_2d(x.0..x.1, y.0..y.1)?, x, y)?,
            true => {
                let log = (x.0..x.1.max(x.0 * 2.0)).log_scale();
                self.draw_on(builder.build_cartesian_2d(log, y.0..y.1)?, x, y)?;
            }
        }
        area.present()?;
        Ok(())
    }

    fn draw_on<X: Ranged<ValueType = f64> + ValueFormatter<f64>>(
        &self,
        mut context: Plot<'_, '_, X>,
        x: (f64, f64),
        y: (f64, f64),
    ) -> Result<(), Failed> {
        context
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(RGBColor(225, 225, 225))
            .axis_style(GREY)
            .label_style(font(14, INK))
            .axis_desc_style(font(15, INK))
            .x_desc(&self.x_label)
            .y_desc(&self.y_label)
            .x_labels(8)
            .y_labels(8)
            .x_label_formatter(&|x| thousands(*x))
            .y_label_formatter(&|v| fitting(*v, y.1 - y.0))
            .draw()?;

        for series in self.series.iter().filter(|series| !series.band.is_empty()) {
            let band: Vec<_> = series.band.iter().filter(|b| self.has_place(b.0)).collect();
            let highs = band.iter().map(|b| (b.0, b.2));
            let lows = band.iter().rev().map(|b| (b.0, b.1));
            let outline: Vec<(f64, f64)> = highs.chain(lows).collect();
            context.draw_series([Polygon::new(outline, series.color.mix(0.18).filled())])?;
        }
        for level in &self.levels {
            let ends = [(x.0, level.value), (x.1, level.value)];
            let style = level.color.stroke_width(1);
            context.draw_series(DashedLineSeries::new(ends, 6, 4, style))?;
        }
        for series in &self.series {
            let style = series.color.stroke_width(series.width());
            let points = series.finite().filter(|point| self.has_place(point.0));
            context.draw_series(LineSeries::new(points, style))?;
        }

        // Each level is named just above itself: the highest at the left, where a rising curve
        // has not arrived yet, the others at the right, where it has left them behind.
        let top = self.levels.iter().map(|l| l.value).fold(f64::NEG_INFINITY, f64::max);
        for level in &self.levels {
            let (share, side) = match level.value == top {
                true => (0.01, HPos::Left),
                false => (0.99, HPos::Right),
            };
            let along = match self.log_x {
                true => x.0 * (x.1 / x.0).powf(share),
                false => x.0 + share * (x.1 - x.0),
            };
            let at = (along, level.value + 0.008 * (y.1 - y.0));
            let style = font(14, level.color).pos(Pos::new(side, VPos::Bottom));
            context.draw_series([Text::new(level.label.clone(), at, style)])?;
        }
        Ok(())
    }

    /// The title, and below it the legend as one line, where no curve can run into it.
    fn draw_head(&self, head: &Area<'_>) -> Result<(), Failed> {
        head.draw(&Text::new(self.title.clone(), (LEFT as i32, 14), font(20, INK)))?;
        let mut x = LEFT as i32;
        for series in &self.series {
            let dash = vec![(x, 54), (x + 26, 54)];
            head.draw(&PathElement::new(dash, series.color.stroke_width(series.width())))?;
            let style = font(14, INK).pos(Pos::new(HPos::Left, VPos::Center));
            head.draw(&Text::new(series.label.clone(), (x + 34, 54), style))?;
            x += 34 + 7 * series.label.chars().count() as i32 + 26;
        }
        Ok(())
    }
}

impl Series {
    fn width(&self) -> u32 {
        if self.thick { 3 } else { 1 }
    }

    fn finite(&self) -> impl Iterator<Item = (f64, f64)> {
        self.points.iter().copied().filter(|point| point.1.is_finite())
    }
}

type Plot<'a, 'b, X> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<X, RangedCoordf64>>;
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Failed = Box<dyn std::error::Error>;

fn font(size: u32, color: RGBColor) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&color)
}

fn extent(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.filter(|v| v.is_finite()).fold(None, |range, v| match range {
        None => Some((v, v)),
        Some((low, high)) => Some((low.min(v), high.max(v))),
    })
}

/// A number with as many decimals as an axis of this `height` needs.
fn fitting(value: f64, height: f64) -> String {
    let decimals = (1.0 - height.max(1e-12).log10().floor()).clamp(0.0, 6.0) as usize;
    signed(value, decimals)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(points: Vec<(f64, f64)>) -> Chart {
        Chart {
            title: "Return".into(),
            x_label: "games".into(),
            y_label: "points".into(),
            series: vec![Series {
                label: "greedy".into(),
                color: BLUE,
                points,
                band: Vec::new(),
                thick: true,
            }],
            levels: vec![Level { label: "optimum −2.8".into(), color: GREEN, value: -2.8 }],
            log_x: false,
        }
    }

    #[test]
    fn a_logarithmic_axis_leaves_out_what_stands_at_0() {
        let log = |points| Chart { log_x: true, ..chart(points) }.svg();
        let svg = log(vec![(0.0, -15.0), (10.0, -9.0), (2000.0, -3.0)]).unwrap();
        // A step of a decade is as wide wherever it stands.
        for label in [10.0, 100.0, 1000.0].map(thousands) {
            assert!(svg.contains(&format!("\n{label}\n")), "{label}: {svg}");
        }
        assert!(log(vec![(0.0, -3.0)]).is_none());
        assert!(log(vec![(5.0, -3.0)]).is_some());
    }

    #[test]
    fn a_chart_names_what_it_shows() {
        let svg = chart(vec![(0.0, -15.0), (1000.0, -3.0)]).svg().unwrap();
        for text in ["<svg", "Return", "games", "points", "greedy", "optimum −2.8"] {
            assert!(svg.contains(text), "{text}");
        }
    }

    #[test]
    fn one_point_and_a_flat_line_are_drawn_and_nothing_is_not() {
        assert!(chart(vec![(5.0, -3.0)]).svg().is_some());
        assert!(chart(vec![(0.0, -2.8), (9.0, -2.8)]).svg().is_some());
        assert!(chart(vec![(0.0, f64::NAN), (9.0, -2.8)]).svg().is_some());
        assert!(chart(Vec::new()).svg().is_none());
    }

    #[test]
    fn numbers_fit_their_axis() {
        assert_eq!(fitting(-12.0, 20.0), "−12");
        assert_eq!(fitting(-0.3, 1.5), "−0.3");
        assert_eq!(fitting(-0.001, 1.5), "0.0");
        assert_eq!(fitting(0.015, 0.02), "0.015");
    }
}
