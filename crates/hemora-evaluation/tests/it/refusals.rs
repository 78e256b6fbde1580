//! What does not fit is named with its count, and nothing is dropped in silence.

use hemora_ct::Label;
use hemora_evaluation::{
    CaseRequest, Cases, EvaluateError, EvaluateOptions, Mapping, Pixels, calibrate, evaluate,
    read_evaluation, read_fit,
};
use hemora_metrics::{CalibrationMethod, FitOptions, Level, OperatingRule};

use crate::support::{
    Tables, label_csv, options, result_csv, slices, submission_csv, validation_csv,
};

fn refusal(predictions: &str, labels: &str) -> String {
    let tables = Tables::new();
    Cases::load(&tables.request(predictions, labels)).unwrap_err().to_string()
}

#[test]
fn bad_predictions_are_counted_and_named() {
    let good = result_csv();
    let row = |number: usize| good.lines().nth(number).unwrap().to_owned();
    let replaced = |number: usize, with: &str| good.replace(&row(number), with);
    let fields = |values: &str| format!("ID_00,s,t,0,{values}");
    for (predictions, expected) in [
        (format!("{good}{}\n{}\n", row(1), row(2)), "2 rows repeat an id: ID_00, ID_01"),
        (
            replaced(1, &fields("nan,0,0,0,0,0")),
            "1 probabilities are not numbers: ID_00 epidural `nan`",
        ),
        (replaced(1, &fields("0,,0,0,x,0")), "2 probabilities are not numbers"),
        (
            replaced(1, &fields("0,0,0,0,0,1.5")),
            "1 probabilities are not in 0 to 1: ID_00 any `1.5`",
        ),
        (replaced(1, &fields("0,0,0,0,0,-0.1")), "not in 0 to 1"),
        (replaced(1, &fields("0,0,0,0,0,inf")), "not in 0 to 1"),
        (replaced(1, ",s,t,0,0,0,0,0,0,0"), "1 rows have no id: line 2"),
        (good.replace(",any", ",all"), "no column `any`; the header is"),
        (good.replace("sop_instance_uid", "name"), "no column of ids"),
        (replaced(1, "ID_00,s,t,0"), "the header has 10"),
        (
            good.replace("study5,", "study4,").replace("series5,study4,21", "series5,study9,21"),
            "into two studies",
        ),
    ] {
        let message = refusal(&predictions, &label_csv());
        assert!(message.contains(expected), "{message}\nexpected {expected}");
    }
    let submission = submission_csv();
    let without: Vec<&str> =
        submission.lines().filter(|line| !line.starts_with("ID_07_any,")).collect();
    let without = without.join(
        "
",
    );
    let message = refusal(&without, &label_csv());
    assert!(message.contains("1 rows are missing: ID_07_any"), "{message}");
    let doubled = format!("{submission}ID_07_any,0.5\n");
    assert!(refusal(&doubled, &label_csv()).contains("1 rows repeat an id: ID_07_any"));
}

#[test]
fn rows_that_contradict_each_other_are_called_that() {
    let twice = label_csv() + "ID_03_any,1\n";
    let message = refusal(&result_csv(), &twice);
    assert!(
        message.contains("1 slices have label rows that contradict each other: ID_03"),
        "{message}"
    );
    assert!(message.contains("labels.csv"), "{message}");
    let empty = label_csv().replace("ID_05_any,0", "ID_05_any,");
    let message = refusal(&result_csv(), &empty);
    assert!(message.contains("1 slices lack some of their labels: ID_05"), "{message}");
    let tables = Tables::new();
    let request = CaseRequest { partial: true, ..tables.request(&result_csv(), &twice) };
    let cases = Cases::load(&request).unwrap();
    assert_eq!(cases.ids.len(), 47);
    assert!(
        cases.warnings.iter().any(|text| text.contains("contradict each other")),
        "{:?}",
        cases.warnings
    );
}

#[test]
fn labels_have_one_rule_in_every_kind_of_table() {
    let float = |text: String| text.replace(",0\n", ",0.0\n").replace(",1\n", ",True\n");
    let tables = Tables::new();
    let plain = Cases::load(&tables.request(&result_csv(), &label_csv())).unwrap();
    let other = Cases::load(&tables.request(&result_csv(), &float(label_csv()))).unwrap();
    assert_eq!(plain.columns, other.columns);
    let wide = "ID,label_any,any\na,1.0,1.0000001\nb,false,0.5\nc,,0.5\n";
    let mapping = hemora_evaluation::Mapping { only: vec![Label::Any], ..Default::default() };
    let request = CaseRequest {
        predictions: tables.write("p.csv", wide),
        mapping,
        partial: true,
        ..CaseRequest::default()
    };
    let cases = Cases::load(&request).unwrap();
    assert_eq!(cases.columns[0].truth, [true, false]);
    assert_eq!(cases.columns[0].probabilities, [1.0, 0.5]);
    let whole = CaseRequest { partial: false, ..request };
    assert!(Cases::load(&whole).unwrap_err().to_string().contains("1 slices have no labels: c"));
}

#[test]
fn numbers_of_rows_are_no_ids() {
    let numbered = |text: String| -> String {
        let row = |(number, line): (usize, &str)| match number {
            // What pandas makes of a table whose ids stand in a column of another name.
            0 => format!(",{line}\n").replace("sop_instance_uid", "file").replace("Image", "file"),
            number => format!("{},{line}\n", number - 1),
        };
        text.lines().enumerate().map(row).collect()
    };
    let named = |text: &str| -> String { text.replacen(',', "key,", 1) };
    let message = refusal(&numbered(result_csv()), &label_csv());
    assert!(message.contains("predictions.csv") && message.contains("--id NAME"), "{message}");
    let wide: String = std::iter::once("Image,any\n".to_owned())
        .chain(slices().map(|(id, _, truth)| format!("{id},{}\n", u8::from(truth[5]))))
        .collect();
    let tables = Tables::new();
    let load = |predictions: &str, labels: &str, id: Option<&str>| {
        let mapping =
            Mapping { only: vec![Label::Any], id: id.map(str::to_owned), ..Mapping::default() };
        Cases::load(&CaseRequest { mapping, ..tables.request(predictions, labels) })
    };
    let message = load(&result_csv(), &numbered(wide.clone()), None).unwrap_err().to_string();
    assert!(message.contains("labels.csv") && message.contains("call the column"), "{message}");
    // Named, the ids are those of the column; a name for the numbers says that they are ids.
    assert_eq!(load(&numbered(result_csv()), &wide, Some("file")).unwrap().ids.len(), 48);
    let keys = named(&numbered(wide)).replace("key,", "id,");
    let numbers = load(&named(&numbered(result_csv())), &keys, Some("key")).unwrap();
    assert_eq!(numbers.ids[..2], ["0", "1"]);
    // An index of ids that nobody named is still taken.
    let unnamed = result_csv().replacen("sop_instance_uid", "", 1);
    assert_eq!(load(&unnamed, &label_csv(), None).unwrap().ids[0], "ID_00");
}

#[test]
fn a_slice_with_one_complete_row_is_not_incomplete() {
    let tables = Tables::new();
    let request = CaseRequest {
        mapping: Mapping { only: vec![Label::Any], ..Mapping::default() },
        ..tables.request("id,any\na,0.9\nb,0.1\n", "id,any\na,\na,1\nb,0\nb,\n")
    };
    let cases = Cases::load(&request).unwrap();
    assert_eq!(cases.columns[0].truth, [true, false]);
    assert!(cases.warnings.iter().all(|text| !text.contains("lack some")), "{:?}", cases.warnings);
}

#[test]
fn tables_without_any_label_are_called_that() {
    let tables = Tables::new();
    let mapping = || Mapping { only: vec![Label::Any], ..Mapping::default() };
    let own = CaseRequest {
        predictions: tables.write("own.csv", "id,any,label_any\na,0.9,\nb,0.1,\n"),
        mapping: mapping(),
        ..CaseRequest::default()
    };
    let other = CaseRequest {
        mapping: mapping(),
        partial: true,
        ..tables.request("id,any\na,0.9\n", "id,any\na,\n")
    };
    let expected = [
        (own, "own.csv has no labels; give them with"),
        (other, "labels.csv, in which no slice has all of its labels"),
    ];
    for (request, expected) in expected {
        let message = Cases::load(&request).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn misaligned_files_are_counted() {
    let other = label_csv().replace("ID_", "XX_");
    let message = refusal(&result_csv(), &other);
    assert!(message.contains("no slice of") && message.contains("XX_00"), "{message}");
    let few: String =
        label_csv().lines().take(1 + 6 * 40).map(|line| format!("{line}\n")).collect();
    let message = refusal(&result_csv(), &few);
    assert!(message.contains("8 slices have no labels: ID_40"), "{message}");
    assert!(message.contains("--partial"), "{message}");
    let tables = Tables::new();
    let request = CaseRequest { partial: true, ..tables.request(&result_csv(), &few) };
    let cases = Cases::load(&request).unwrap();
    assert_eq!((cases.ids.len(), cases.alignment.unlabelled.count), (40, 8));
    assert!(cases.warnings.iter().any(|warning| warning.contains("8 of 48 predicted")));
    let without = CaseRequest { labels: None, ..tables.request(&result_csv(), &few) };
    assert!(Cases::load(&without).unwrap_err().to_string().contains("--labels"));
    // The other model lacks slices.
    let mut options = options();
    let shorter: String = result_csv().lines().take(40).map(|line| format!("{line}\n")).collect();
    options.compare = Some((tables.write("other.csv", &shorter), Mapping::default()));
    let cases = Cases::load(&tables.request(&result_csv(), &label_csv())).unwrap();
    let message = evaluate(cases, &options).unwrap_err().to_string();
    assert!(message.contains("9 of the slices to compare are not there"), "{message}");
}

#[test]
fn pictures_that_are_passed_over_are_named() {
    let tables = Tables::new();
    let cases = Cases::load(&tables.request(&result_csv(), &label_csv())).unwrap();
    let mut given: Vec<_> = ["a", "b"]
        .map(|name| {
            let folder = tables.write("marker", "").with_file_name(name);
            std::fs::create_dir(&folder).unwrap();
            std::fs::write(folder.join("ID_00.png"), name).unwrap();
            folder
        })
        .to_vec();
    given.push(given[0].with_file_name("absent"));
    let said = Pixels::find(&cases, &given).warnings().join("; ");
    assert!(said.contains("1 images have the name of an earlier one, which counts"), "{said}");
    assert!(said.contains("b/ID_00.png") && said.contains("absent"), "{said}");
}

#[test]
fn one_class_is_said_and_undefined() {
    let tables = Tables::new();
    let cases = Cases::load(&tables.request(&result_csv(), &label_csv())).unwrap();
    assert!(
        cases
            .warnings
            .iter()
            .any(|warning| warning.starts_with("epidural: all 48 slices are negative"))
    );
    let evaluation = evaluate(cases, &options()).unwrap();
    let epidural = &evaluation.levels[0].metrics.labels[Label::Epidural.index()];
    assert_eq!((epidural.auroc.value, epidural.positives), (None, 0));
    assert!(epidural.log_loss.value.is_some());
}

#[test]
fn thresholds_from_the_very_cases_need_to_be_asked_for() {
    let tables = Tables::new();
    let path = tables.write("validation.csv", &validation_csv());
    let request = CaseRequest { predictions: path, ..CaseRequest::default() };
    let cases = || Cases::load(&request).unwrap();
    let mut chosen = options();
    chosen.choose = vec![OperatingRule::Youden];
    let error = evaluate(cases(), &chosen).unwrap_err();
    assert!(matches!(error, EvaluateError::Request(_)));
    assert!(error.to_string().contains("--tune-on-test"), "{error}");
    chosen.tune_on_test = true;
    assert!(evaluate(cases(), &chosen).unwrap().tuned_on_these_cases);

    // A fit on the same slices is recognised, also when they stand in another file.
    let fitted = FitOptions {
        calibration: Some(CalibrationMethod::Platt),
        rules: vec![OperatingRule::Sensitivity(0.9)],
        learn_aggregation: false,
        seed: 0,
    };
    let report = calibrate(&cases(), &fitted).unwrap();
    let mut given = options();
    given.points = report.operating_points.clone();
    let again = || Cases::load(&tables.request(&submission_csv(), &label_csv())).unwrap();
    let message = evaluate(again(), &given).unwrap_err().to_string();
    assert!(message.contains("operating points were chosen"), "{message}");
    given.tune_on_test = true;
    let message = evaluate(again(), &given).unwrap_err().to_string();
    assert!(message.contains("calibrated already"), "{message}");
    given.calibration = report.calibration.clone();
    given.calibrated = true;
    assert!(evaluate(again(), &given).unwrap_err().to_string().contains("again"));
    let already = EvaluateOptions { calibration: None, ..given.clone() };
    assert_eq!(evaluate(again(), &already).unwrap().calibration, None);
    given.calibrated = false;
    let evaluation = evaluate(again(), &given).unwrap();
    assert!(evaluation.tuned_on_these_cases && evaluation.calibration.is_some());
    // On other patients nothing needs to be asked for.
    let elsewhere = submission_csv().replace("ID_", "XX_");
    let labels = label_csv().replace("ID_", "XX_");
    given.tune_on_test = false;
    let cases = Cases::load(&tables.request(&elsewhere, &labels)).unwrap();
    assert!(!evaluate(cases, &given).unwrap().tuned_on_these_cases);
}

#[test]
fn a_learned_aggregation_is_used_and_refused_where_it_was_learnt() {
    let tables = Tables::new();
    // Enough series of both kinds to learn from: every patient four times, under other names.
    let (mut predictions, mut labels) = (String::new(), String::new());
    for copy in 0..4 {
        let renamed = |text: String, skip: usize| -> String {
            let text = text.replace("ID_", &format!("ID{copy}_"));
            let text = text.replace("study", &format!("study{copy}_"));
            let text = text.replace("series", &format!("series{copy}_"));
            text.lines().skip(skip).map(|line| format!("{line}\n")).collect()
        };
        predictions += &renamed(result_csv(), 1);
        labels += &renamed(label_csv(), 1);
    }
    let head = result_csv().lines().next().unwrap().to_owned();
    let request = tables.request(&format!("{head}\n{predictions}"), &format!("ID,Label\n{labels}"));
    let fitted = FitOptions {
        calibration: None,
        rules: vec![OperatingRule::Youden],
        learn_aggregation: true,
        seed: 0,
    };
    let cases = || Cases::load(&request).unwrap();
    let report = calibrate(&cases(), &fitted).unwrap();
    let learned = report.aggregation.clone().unwrap();
    assert_eq!((learned.level, learned.labels.len()), (Level::Series, 2));
    let path = tables.write("fit.json", &serde_json::to_string(&report).unwrap());
    let read = read_fit(&path).unwrap();
    assert_eq!(read.aggregation.map(|rule| rule.labels.len()), Some(2));

    let own = CaseRequest { learned: Some(learned.clone()), ..request.clone() };
    let message = evaluate(Cases::load(&own).unwrap(), &options()).unwrap_err().to_string();
    assert!(message.contains("the aggregation was fitted"), "{message}");
    let elsewhere =
        CaseRequest { learned: Some(learned), ..tables.request(&result_csv(), &label_csv()) };
    let evaluation = evaluate(Cases::load(&elsewhere).unwrap(), &options()).unwrap();
    assert_eq!(evaluation.aggregation, "learned");
    assert!(evaluation.learned_aggregation.is_some() && !evaluation.tuned_on_these_cases);
    let broken = serde_json::to_string(&report).unwrap().replace("\"all\":", "\"all\":-1e0,\"x\":");
    assert!(read_fit(&tables.write("broken.json", &broken)).is_err());
}

#[test]
fn documents_that_are_none_are_refused() {
    let tables = Tables::new();
    for text in ["", "{}", "[1]", "{\"schema_version\": 9}"] {
        let path = tables.write("metrics.json", text);
        let message = read_evaluation(&path).unwrap_err().to_string();
        assert!(
            message.contains("metrics.json") && message.contains("hemora evaluate"),
            "{message}"
        );
        assert!(read_fit(&path).is_err());
    }
}
