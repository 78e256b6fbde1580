//! Geometry of which files have a part only.

use hemora_io::{
    AssumedGeometry, Collection, SeriesChoice, SeriesWarning, Source, choose_series, collect,
    group, read_header, read_headers, read_slice,
};

use crate::raw::{Raw, write_file};

const POSITION: u32 = 0x0020_0032;
const ORIENTATION: u32 = 0x0020_0037;
const LOCATION: u32 = 0x0020_1041;

/// Slices in an order of the files' names that is not theirs; `make` gets their number from below.
fn collected(make: impl Fn(Raw, usize) -> Raw) -> Collection {
    let folder = tempfile::tempdir().unwrap();
    for (file, number) in [4, 0, 5, 2, 1, 3].into_iter().enumerate() {
        let image = Raw::image().text(0x0008_0018, b"UI", &format!("1.{number}"));
        let image = make(image.without(POSITION).without(ORIENTATION), number);
        write_file(folder.path(), &format!("{file}"), &image.file());
    }
    collect(&[folder.path().to_owned()], &|_, _| ())
}

fn order(found: &Collection) -> String {
    let [study] = found.studies.as_slice() else { panic!("{} studies", found.studies.len()) };
    let [series] = study.series.as_slice() else { panic!("{} series", study.series.len()) };
    let uids = series.slices.iter().filter_map(|slice| slice.sop_instance_uid.as_deref());
    uids.map(|uid| uid.trim_start_matches("1.")).collect()
}

fn assumed(found: &Collection) -> Option<(usize, AssumedGeometry)> {
    found.studies[0].series[0].warnings.iter().find_map(|warning| match warning {
        SeriesWarning::Assumed { count, geometry } => Some((*count, *geometry)),
        _ => None,
    })
}

fn choice(found: &Collection) -> SeriesChoice {
    choose_series(&found.studies[0].series).remove(0)
}

#[test]
fn positions_without_orientation_give_the_order() {
    let axial = collected(|image, number| {
        image.text(POSITION, b"DS", &format!("-100\\-90\\{}", number as f64 * 4.5))
    });
    assert_eq!(order(&axial), "012345");
    assert_eq!(assumed(&axial), Some((6, AssumedGeometry::Orientation)));
    let slices = &axial.studies[0].series[0].slices;
    assert!(slices.iter().all(|slice| slice.plane.is_some()));
    assert_eq!(choice(&axial), SeriesChoice::Chosen);

    let sagittal = collected(|image, number| {
        image.text(POSITION, b"DS", &format!("{}\\-90\\100", number as f64 * 4.5))
    });
    assert!(matches!(choice(&sagittal), SeriesChoice::NotAxial { view: "sagittal", .. }));

    // One slice of a tilted series.
    let tilted = collected(|image, number| {
        let image = image.text(POSITION, b"DS", &format!("-100\\-90\\{}", number * 5));
        match number {
            2 => image,
            _ => image.text(ORIENTATION, b"DS", "1\\0\\0\\0\\0.97437\\-0.224951"),
        }
    });
    assert_eq!(order(&tilted), "012345");
    assert_eq!(assumed(&tilted), Some((1, AssumedGeometry::Orientation)));
}

#[test]
fn slice_location_stands_in_for_positions() {
    let located = collected(|image, number| {
        image.text(LOCATION, b"DS", &format!("{}", number as f64 * 5.0 - 700.0))
    });
    assert_eq!(order(&located), "012345");
    assert_eq!(assumed(&located), Some((6, AssumedGeometry::PositionAndOrientation)));

    // All at one location: the instance numbers are left.
    let same = collected(|image, number| {
        let image = image.text(LOCATION, b"DS", "0");
        image.text(0x0020_0013, b"IS", &format!("{}", number + 1))
    });
    assert_eq!(order(&same), "012345");
    assert_eq!(assumed(&same), None);
    let warnings: Vec<String> =
        same.studies[0].series[0].warnings.iter().map(ToString::to_string).collect();
    let expected = "6 slices have neither ImagePositionPatient nor a SliceLocation that could be \
                    used; they stand in the order of their instance numbers";
    assert!(warnings.iter().any(|it| it == expected), "{warnings:?}");
}

/// What is assumed holds of a series; a file alone does not say where it lies.
#[test]
fn a_file_alone_has_no_assumed_plane() {
    let folder = tempfile::tempdir().unwrap();
    let image = |number: usize| Raw::image().text(0x0008_0018, b"UI", &format!("1.{number}"));
    let kinds: [fn(Raw) -> Raw; 3] = [
        |image| image.without(ORIENTATION),
        |image| image.without(POSITION).text(LOCATION, b"DS", "12"),
        |image| image.without(POSITION).without(ORIENTATION).text(LOCATION, b"DS", "12"),
    ];
    for (index, without) in kinds.into_iter().enumerate() {
        let path = write_file(folder.path(), &format!("{index}/a"), &without(image(0)).file());
        let source = Source::File(path.clone());
        for header in read_headers(&source).unwrap().into_iter().chain(read_header(&source)) {
            assert_eq!((header.plane, header.assumed), (None, None), "{index}");
        }
        let (header, slice) = read_slice(&source).unwrap();
        assert_eq!((header.plane, slice.plane), (None, None), "{index}");

        let found = collect(&[path], &|_, _| ());
        let series = &found.studies[0].series[0];
        let (header, slice) = series.read_slice(0).unwrap();
        assert!(header.plane.is_some() && header.assumed.is_some(), "{index}");
        assert_eq!((&header, slice.plane), (&series.slices[0], header.plane), "{index}");
        let again = group(series.slices.clone());
        assert_eq!(again.studies[0].series[0].slices, series.slices, "{index}");
    }
    // Two images of one UID that differ in their location alone are two.
    for location in ["12", "17"] {
        let image = kinds[2](image(0)).text(LOCATION, b"DS", location);
        write_file(folder.path(), &format!("both/{location}"), &image.file());
    }
    let found = collect(&[folder.path().join("both")], &|_, _| ());
    assert_eq!((found.studies[0].series[0].slices.len(), found.skipped.len()), (2, 0));
}

#[test]
fn a_slice_lies_where_its_series_says() {
    // SliceLocation counts from elsewhere: the one without a position has none at all.
    let found = collected(|image, number| match number {
        2 => image.text(ORIENTATION, b"DS", "1\\0\\0\\0\\1\\0").text(LOCATION, b"DS", "900"),
        _ => image.text(POSITION, b"DS", &format!("-100\\-90\\{}", number * 5)),
    });
    let slices = &found.studies[0].series[0].slices;
    assert_eq!(slices.iter().filter(|slice| slice.plane.is_none()).count(), 1);
    assert_eq!(slices[5].sop_instance_uid.as_deref(), Some("1.2"));
    // An absurd one is as good as none.
    let found = collected(|image, number| {
        image.text(LOCATION, b"DS", if number == 0 { "1e9" } else { "-1e300" })
    });
    let warnings = &found.studies[0].series[0].warnings;
    let left = |it: &SeriesWarning| matches!(it, SeriesWarning::NoPosition { count: 6, .. });
    let blamed = |it: &SeriesWarning| matches!(it, SeriesWarning::BadGeometry { .. });
    assert!(warnings.iter().any(left) && !warnings.iter().any(blamed), "{warnings:?}");
}

#[test]
fn a_localizer_without_geometry_is_a_part_of_its_own() {
    let found = collected(|image, number| match number {
        0 => image.text(0x0008_0008, b"CS", "ORIGINAL\\PRIMARY\\LOCALIZER"),
        _ => image.text(POSITION, b"DS", &format!("-100\\-90\\{}", number * 5)).text(
            ORIENTATION,
            b"DS",
            "1\\0\\0\\0\\1\\0",
        ),
    });
    let series = &found.studies[0].series;
    let sizes: Vec<usize> = series.iter().map(|part| part.slices.len()).collect();
    assert_eq!(sizes, [5, 1]);
    assert_eq!(choose_series(series), [SeriesChoice::Chosen, SeriesChoice::Localizer]);
}
