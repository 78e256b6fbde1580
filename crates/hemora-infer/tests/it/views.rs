//! What of a series reaches the network: neighbours and views.

use hemora_ct::{Channel, Views};
use hemora_infer::{Engine, SeriesPolicy, score_series, triage};
use hemora_model::Bundle;

use crate::archive::{archive, assert_near, expected_any, grey};
use crate::support::{SIZE, first, loaded, slices};

#[test]
fn neighbours_reach_the_network() {
    let archive = archive();
    let mut input = grey(SIZE);
    for (channel, offset) in input.channels.iter_mut().zip([-1, 0, 1]) {
        *channel = Channel { offset, ..*channel };
    }
    let collection = archive.collect();
    let series = collection.studies[1].series.iter().find(|series| series.id() == "1.2.1").unwrap();
    let score = score_series(&archive.engine, &input, Views::One, series, &|_, _| ());
    // The network takes the mean of its three channels: the slice and its neighbours.
    let mean = (600 + 3000 + 2100) / 3;
    assert_near(f64::from(score.slices[2].probabilities.any), expected_any(mean));
    let alone = score_series(&archive.engine, &grey(SIZE), Views::One, series, &|_, _| ());
    assert_ne!(alone.slices[2].probabilities, score.slices[2].probabilities);
}

#[test]
fn the_views_that_a_bundle_asks_for_are_averaged() {
    let archive = archive();
    let collection = archive.collect();
    let mut info = archive.bundle.info().clone();
    info.members[0].views = Views::Ten;
    let path = archive.folder.path().join("views.hemora");
    Bundle::write(&path, &info, slices(&archive.bundle), "# views").unwrap();
    let bundle = Bundle::open(&path).unwrap();
    let (member, _) = first(&bundle);
    assert_eq!(member.views, Views::Ten);
    let any = |bundle: &Bundle| {
        let result = triage(&loaded(bundle), &collection, SeriesPolicy::Chosen, &|_, _| ());
        let series = result.studies.into_iter().flat_map(|study| study.series);
        series.flat_map(|it| it.slices).map(|it| it.probabilities.any).collect::<Vec<_>>()
    };
    let (one, ten) = (any(&archive.bundle), any(&bundle));
    assert_eq!(one.len(), ten.len());
    // The bright pixels lie in some corners and not in others.
    assert_ne!(one, ten);
    let series = collection.studies[1].series.iter().find(|series| series.id() == "1.2.1").unwrap();
    let (_, slice) = hemora_io::read_slice(&series.slices[2].source).unwrap();
    let input = member.input.input(|_| &slice);
    let views = Views::Ten.all();
    let of = |view: &hemora_ct::View| {
        f64::from(archive.engine.run(&view.of(&input, SIZE)).unwrap().probabilities[5])
    };
    let mean = views.iter().map(of).sum::<f64>() / views.len() as f64;
    let score = score_series(&archive.engine, &member.input, Views::Ten, series, &|_, _| ());
    assert_near(f64::from(score.slices[2].probabilities.any), mean);
}
