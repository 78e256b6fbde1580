//! Every kind of table gives the same figures, and what is left over is named.

use hemora_ct::Label;
use hemora_data::TableColumn;
use hemora_evaluation::{CaseRequest, Cases, Evaluation, Mapping, evaluate};
use hemora_metrics::{Aggregation, Level, OperatingRule};

use crate::support::{
    Tables, label_csv, options, result_csv, slices, submission_csv, validation_csv,
};

fn any_auroc(evaluation: &Evaluation, level: Level) -> f64 {
    let level = evaluation.levels.iter().find(|one| one.level == level).unwrap();
    level.metrics.labels[Label::Any.index()].auroc.value.unwrap()
}

#[test]
fn every_kind_of_table_gives_the_same_figures() {
    let tables = Tables::new();
    let wide = {
        let mut text = String::from(
            "Image,subdural,any,epidural,intraparenchymal,intraventricular,subarachnoid\n",
        );
        for (id, _, truth) in slices() {
            let [epidural, parenchymal, ventricular, arachnoid, subdural, any] =
                truth.map(u8::from);
            text += &format!(
                "{id},{subdural},{any},{epidural},{parenchymal},{ventricular},{arachnoid}\n"
            );
        }
        text
    };
    let mut seen = Vec::new();
    for (predictions, labels, kind, levels) in [
        (result_csv(), Some(label_csv()), "study", 3),
        (result_csv(), Some(wide), "study", 3),
        (submission_csv(), Some(label_csv()), "slice", 1),
        (validation_csv(), None, "group", 1),
    ] {
        let request = CaseRequest {
            predictions: tables.write("predictions.csv", &predictions),
            labels: labels.map(|labels| tables.write("labels.csv", &labels)),
            ..CaseRequest::default()
        };
        let evaluation = evaluate(Cases::load(&request).unwrap(), &options()).unwrap();
        assert_eq!(evaluation.grouping.kind, kind);
        assert_eq!(evaluation.levels.len(), levels);
        assert_eq!(evaluation.alignment.evaluated, 48);
        seen.push(any_auroc(&evaluation, Level::Slice));
        // One mistaken slice of 44 negatives, above some of the four positives.
        assert!(seen[0] > 0.95 && seen[0] < 1.0, "{}", seen[0]);
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:?}");
}

#[test]
fn studies_and_patients_come_from_other_tables_too() {
    let tables = Tables::new();
    let mut text = String::from("Image,patient,study\n");
    for (id, patient, _) in slices() {
        text += &format!("{id},p{},s{patient}\n", patient / 2);
    }
    let other = tables.write("slices.csv", &text);
    let wanted = |column: &str| TableColumn {
        table: other.clone(),
        id: "Image".to_owned(),
        column: column.to_owned(),
    };
    let request = CaseRequest {
        groups: Some(wanted("patient")),
        studies: Some(wanted("study")),
        ..tables.request(&submission_csv(), &label_csv())
    };
    let evaluation = evaluate(Cases::load(&request).unwrap(), &options()).unwrap();
    assert_eq!((evaluation.grouping.kind.as_str(), evaluation.grouping.groups), ("patient", 6));
    let studies = &evaluation.levels[1];
    assert_eq!(
        (studies.level, studies.metrics.items, studies.metrics.groups),
        (Level::Study, 12, 6)
    );
    assert!(evaluation.warnings.iter().all(|warning| !warning.contains("too narrow")));
}

#[test]
fn rules_that_read_neighbours_say_where_rows_stand_in_for_them() {
    let tables = Tables::new();
    let said = |request: &CaseRequest| {
        let warnings = Cases::load(request).unwrap().warnings;
        warnings.into_iter().find(|warning| warning.contains("neighbours"))
    };
    // A result of triage has positions.
    let known = tables.request(&result_csv(), &label_csv());
    assert_eq!(known.aggregation, Aggregation::RunMean(3));
    assert_eq!(said(&known), None);
    let mut rows = String::from("Image,study\n");
    slices().for_each(|(id, patient, _)| rows += &format!("{id},s{patient}\n"));
    let studies = TableColumn {
        table: tables.write("studies.csv", &rows),
        id: "Image".to_owned(),
        column: "study".to_owned(),
    };
    let unknown =
        CaseRequest { studies: Some(studies), ..tables.request(&submission_csv(), &label_csv()) };
    let warning = said(&unknown).unwrap();
    assert!(warning.starts_with("12 of 12 studies") && warning.contains("run-3"), "{warning}");
    let three = CaseRequest { aggregation: Aggregation::TopMean(3), ..unknown };
    assert_eq!(said(&three), None);
}

#[test]
fn columns_are_mapped_and_labels_chosen() {
    let tables = Tables::new();
    let predictions = "name,p_bleed\nID_01,0.9\nID_02,0.2\nID_03,0.1\nID_13,0.8\n";
    let request = CaseRequest {
        mapping: Mapping {
            id: Some("name".to_owned()),
            columns: [(Label::Any, "p_bleed".to_owned())].into(),
            only: vec![Label::Any],
        },
        ..tables.request(predictions, &label_csv())
    };
    let mut options = options();
    options.choose = vec![OperatingRule::Fixed(0.5)];
    let evaluation = evaluate(Cases::load(&request).unwrap(), &options).unwrap();
    let labels = &evaluation.levels[0].metrics.labels;
    assert_eq!((labels.len(), labels[0].auroc.value), (1, Some(1.0)));
    // All found of two: the resamples agree, so Wilson's interval stands in.
    let sensitivity = labels[0].decisions[0].sensitivity;
    assert_eq!((sensitivity.value, sensitivity.high), (Some(1.0), Some(1.0)));
    assert!(sensitivity.low.unwrap() < 0.5);
    // A fixed threshold was given beforehand: nothing was tuned.
    assert!(!evaluation.tuned_on_these_cases);
    assert_eq!(evaluation.alignment.unpredicted.count, 44);
    assert!(evaluation.warnings.iter().any(|warning| warning.contains("44 of 48 labelled")));
}

#[test]
fn a_named_column_makes_no_submission_of_a_table() {
    let tables = Tables::new();
    let request = CaseRequest {
        mapping: Mapping {
            columns: [(Label::Any, "Label".to_owned())].into(),
            only: vec![Label::Any],
            ..Mapping::default()
        },
        ..tables.request("id,label\nID_01,0.9\nID_02,0.2\n", &label_csv())
    };
    let cases = Cases::load(&request).unwrap();
    assert_eq!((cases.ids.len(), &*cases.columns[0].probabilities), (2, &[0.9, 0.2][..]));
}

#[test]
fn a_comparison_aligns_the_other_model_and_a_subgroup_its_slices() {
    let tables = Tables::new();
    let mut sex = String::from("id,sex\n");
    for (id, patient, _) in slices().take(40) {
        sex += &format!("{id},{}\n", if patient % 2 == 0 { "F" } else { "M" });
    }
    let mut options = options();
    options.compare = Some((tables.write("other.csv", &submission_csv()), Mapping::default()));
    options.subgroups = vec![TableColumn {
        table: tables.write("sex.csv", &sex),
        id: "id".into(),
        column: "sex".into(),
    }];
    let request = tables.request(&result_csv(), &label_csv());
    let evaluation = evaluate(Cases::load(&request).unwrap(), &options).unwrap();
    let comparison = evaluation.comparison.unwrap();
    assert_eq!(comparison.labels.len(), 18);
    let any = &comparison.labels[Label::Any.index()];
    assert_eq!((any.difference.auroc.value, any.auroc_p_value_holm), (Some(0.0), Some(1.0)));
    let found: Vec<(&str, u64)> = evaluation
        .subgroups
        .iter()
        .filter(|group| group.column == "sex")
        .map(|group| (group.value.as_str(), group.items))
        .collect();
    assert_eq!(found, [("F", 20), ("M", 20), ("(unknown)", 8)]);
    assert!(evaluation.subgroups.iter().all(|group| group.labels.iter().all(|one| one.small)));
    // The last patient's second slice is negative and called positive.
    let worst = evaluation.mistakes.iter().find(|mistake| mistake.id == "ID_45").unwrap();
    assert!(worst.truth.is_empty() && worst.group.as_deref() == Some("study11"));
}
